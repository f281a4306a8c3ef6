// Purpose: The visitors of devices' cookies, those of the cookies seen last first.
// Parameters: $ids, the client's ids of devices; $limit, how many of each.
// Columns: of, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
MATCH (place:Device {id: id})
CALL (place) {
  MATCH (place)<-[:ON_DEVICE]-(used:Cookie)<-[:OF_COOKIE]-(visitor:Visitor)
  WHERE visitor.start IS NOT NULL
  RETURN visitor ORDER BY coalesce(visitor.startedAt, used.firstSeenAt) DESC LIMIT $limit
}
RETURN place.id AS of,
  // Include: parts/visitor_columns
