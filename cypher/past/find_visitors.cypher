// Purpose: Visitors by any id that one ever had: where it begins or began, and by what evidence.
// Parameters: $ids, ids of visitors.
// Columns: id, cookie, start, openedBy.

UNWIND $ids AS id
MATCH (visitor:Visitor {id: id})
RETURN visitor.id AS id, visitor.cookie AS cookie,
  coalesce(visitor.start, visitor.unmadeStart) AS start, visitor.openedBy AS openedBy
