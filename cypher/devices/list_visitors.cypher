// Purpose: The latest visitors of devices' cookies, those of the cookies used last first.
// Parameters: $named, a map: ids, the client's ids of devices; most, how many of each; until, a time after all.
// Columns: of, visitor, owners, seenFrom, seenTo, device.

UNWIND $named.ids AS id
MATCH (place:Device {id: id})
WITH place, $named.until AS until
CALL (place, until) {
  // Include: parts/cookies_of_device
  CALL (used) {
    MATCH (visitor:Visitor)
      USING INDEX visitor:Visitor(cookie, start)
    WHERE visitor.cookie = used.id AND visitor.start >= ''
    RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $named.most
  }
  RETURN visitor LIMIT $named.most
}
RETURN place.id AS of,
  // Include: parts/visitor_columns
