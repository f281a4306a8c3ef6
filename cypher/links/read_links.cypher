// Purpose: Links by id.
// Parameters: $ids, ids of links.
// Columns: found.

UNWIND $ids AS id
CALL (id) {
  MATCH ()-[link:IDENTIFIED_AS {id: id}]->() RETURN link
  UNION
  MATCH ()-[link:HAS_IDENTIFIER {id: id}]->() RETURN link
  UNION
  MATCH ()-[link:SAME_AS {id: id}]->() RETURN link
  UNION
  MATCH ()-[link:NOT_SAME_AS {id: id}]->() RETURN link
}
RETURN {link: link {.*}, kind: type(link), from: startNode(link).id, to: endNode(link).id, value: endNode(link).value, type: endNode(link).type} AS found
