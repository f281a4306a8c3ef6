// Purpose: The joins at contacts, or from visitors, that judgements of operators took back by then: the fold of then makes them no more, and what was done is told.
// Parameters: $named, a map: contacts and visitors, ids; $operation, what the id of an operation ends with; $known, by when it was recorded, or null.
// Columns: row.

CALL () {
  UNWIND $named.contacts AS id
  MATCH (contact:Contact {id: id})
  MATCH (contact)-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS]-()
  RETURN link
  UNION
  UNWIND $named.visitors AS id
  MATCH (visitor:Visitor {id: id})
  MATCH (visitor)-[link:IDENTIFIED_AS]->()
  RETURN link
}
WITH link WHERE link.retractedBy ENDS WITH $operation
MATCH (act:Evidence {id: link.retractedBy})
WHERE act.kind IN ['keep_apart', 'restore', 'block']
  AND ($known IS NULL OR (act.recordedAt <= $known AND link.recordedAt <= $known))
RETURN {link: link {.*}, kind: type(link), from: startNode(link).id, to: endNode(link).id,
  type: endNode(link).type, value: endNode(link).value, cookie: startNode(link).cookie} AS row
