// Purpose: The visitors of people that began last, of those of each contact that were identified last, where the device is known.
// Parameters: $people, each with key, person (an id, or null) and visitor (of an anonymous person, or null); $limit, how many of each.
// Columns: key, visitor, owners, seenFrom, seenTo, device.

UNWIND $people AS wanted
CALL (wanted) {
  CALL (wanted) {
    MATCH (:Person {id: wanted.person})<-[:BELONGS_TO]-(own:Contact)
    CALL (own) {
      MATCH (visitor:Visitor)
        USING INDEX visitor:Visitor(contact, linkedAt)
      WHERE visitor.contact = own.id AND visitor.linkedAt >= 0
      RETURN visitor ORDER BY visitor.contact DESC, visitor.linkedAt DESC LIMIT $limit
    }
    RETURN visitor
    UNION ALL
    MATCH (visitor:Visitor {id: wanted.visitor})
    WHERE visitor.start IS NOT NULL
    RETURN visitor
  }
  MATCH (visitor)-[:OF_COOKIE]->(used:Cookie)
  WHERE EXISTS { (used)-[:ON_DEVICE]->(:Device) }
  RETURN visitor ORDER BY coalesce(visitor.startedAt, used.firstSeenAt) DESC LIMIT $limit
}
RETURN wanted.key AS key,
  // Include: parts/visitor_columns
