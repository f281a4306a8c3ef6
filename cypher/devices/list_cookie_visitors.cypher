// Purpose: The visitors of cookies, newest first.
// Parameters: $ids, the client's ids of cookies; $limit, how many of each.
// Columns: of, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
CALL (id) {
  MATCH (visitor:Visitor)
  WHERE visitor.cookie = id AND visitor.start >= ''
  RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $limit
}
RETURN id AS of,
  // Include: parts/visitor_columns
