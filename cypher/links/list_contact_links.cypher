// Purpose: The links of contacts, newest first.
// Parameters: $ids, ids of contacts; $limit, how many of each.
// Columns: of, found.

UNWIND $ids AS id
CALL (id) {
  MATCH (contact:Contact {id: id})
  MATCH (contact)-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]-()
  RETURN link ORDER BY link.at DESC, link.id LIMIT $limit
}
RETURN id AS of, {link: link {.*}, kind: type(link), from: startNode(link).id, to: endNode(link).id, value: endNode(link).value, type: endNode(link).type} AS found
