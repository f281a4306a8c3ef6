// Purpose: Visitors with whom they are identified as: a page of them, or named ones.
// Parameters: $named, a map: ids, of the visitors; after, the id that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (visitor:Visitor {id: id})
  RETURN visitor
  UNION ALL
  MATCH (visitor:Visitor)
    USING INDEX visitor:Visitor(id)
  WHERE visitor.id > $named.after
  RETURN visitor ORDER BY visitor.id LIMIT $named.size
}
RETURN collect([
  visitor.id,
  properties(visitor),
  [(visitor)-[:OF_COOKIE]->(cookie) | cookie.id],
  [(visitor)-[link:IDENTIFIED_AS]->(contact) | [type(link), properties(link), contact.id]]
]) AS rows
