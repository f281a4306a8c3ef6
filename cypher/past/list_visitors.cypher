// Purpose: The visitors of cookies that begin before a place, newest first, as things are now.
// Parameters: $ids, the client's ids of cookies; $place, that place; $limit, how many of each.
// Columns: visitors.

UNWIND $ids AS id
CALL (id) {
  MATCH (visitor:Visitor)
  WHERE visitor.cookie = id AND visitor.start < $place
  RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $limit
}
RETURN collect(visitor.id) AS visitors
