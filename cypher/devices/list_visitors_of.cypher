// Purpose: The visitors of people that began last, of those of each contact that were identified last, where the device is known; with it, and with the use that each is: of all of it from where its link reaches.
// Parameters: $people, each with key, person (an id, or null) and visitor (of an anonymous person, or null); $most, how many of each contact are looked at, and $limit, how many of each person are told; $forever, the last moment that a place can stand for.
// Columns: key, visitor, owners, seenFrom, seenTo, device, place (the device's id, when it was first and last seen), low, high, used (firstAt, lastAt, lastPosition, sessions; of none: empty).

UNWIND $people AS wanted
CALL (wanted) {
  CALL (wanted) {
    MATCH (:Person {id: wanted.person})<-[:BELONGS_TO]-(own:Contact)
    CALL (own) {
      MATCH (visitor:Visitor)
        USING INDEX visitor:Visitor(contact, linkedAt)
      WHERE visitor.contact = own.id AND visitor.linkedAt >= 0
      RETURN visitor ORDER BY visitor.contact DESC, visitor.linkedAt DESC LIMIT $most
    }
    RETURN visitor
    UNION ALL
    MATCH (visitor:Visitor {id: wanted.visitor})
    WHERE visitor.start IS NOT NULL
    RETURN visitor
  }
  MATCH (visitor)-[:OF_COOKIE]->(used:Cookie)
  WHERE EXISTS { (used)-[:ON_DEVICE]->(:Device) }
  RETURN visitor AS found ORDER BY coalesce(visitor.startedAt, used.firstSeenAt) DESC LIMIT $limit
}
WITH wanted.key AS key, found AS visitor
WITH key,
  // Include: parts/visitor_columns
WITH *, right('000000000000000' + toString(owners[0].link.reach), 16) AS reached
WITH *, {
  cookie: visitor.cookie, low: CASE WHEN visitor.start < reached THEN reached ELSE visitor.start END,
  high: coalesce(visitor.end, ':'), highAt: coalesce(toInteger(left(visitor.end, 16)), $forever)
} AS slice
CALL (slice) {
  // Include: parts/slice_use
  RETURN collect([firstAt, lastAt, lastPosition, begun + 1 - withFirst]) AS used
}
RETURN key, visitor, owners, seenFrom, seenTo, device,
  head(COLLECT { MATCH (place:Device {id: device}) RETURN [place.id, place.firstSeenAt, place.lastSeenAt] }) AS place,
  slice.low AS low, slice.high AS high, head(used) AS used
