// Purpose: What was last withdrawn of a visitor that has no owner.
// Parameters: $ids, ids of visitors.
// Columns: visitor, found.

UNWIND $ids AS id
MATCH (visitor:Visitor {id: id})
CALL (visitor) {
  MATCH (visitor)-[link:IDENTIFIED_AS]->(:Contact)
  WHERE link.state = 'SEVERED'
  RETURN link ORDER BY link.retractedAt DESC, link.id LIMIT 1
}
RETURN visitor.id AS visitor, {link: link {.*}, kind: type(link), from: startNode(link).id, to: endNode(link).id, value: endNode(link).value, type: endNode(link).type} AS found
