// Purpose: Visitors by any id that one ever had: the visitor who has the cookie where that one began. That is itself, while it is made.
// Parameters: $ids, ids of visitors.
// Columns: asked, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS asked
MATCH (named:Visitor {id: asked})
CALL (named) {
  MATCH (visitor:Visitor)
  WHERE visitor.cookie = named.cookie AND visitor.start <= coalesce(named.start, named.unmadeStart)
  RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT 1
}
RETURN asked,
  // Include: parts/visitor_columns
