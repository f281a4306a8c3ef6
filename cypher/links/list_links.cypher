// Purpose: The links that make people, newest first.
// Parameters: $people, each with key, id and states (empty: all); $limit, how many of each.
// Columns: key, found.

UNWIND $people AS wanted
CALL (wanted) {
  MATCH (person:Person {id: wanted.id})
  MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
  CALL (contact) {
    MATCH (contact)<-[link:IDENTIFIED_AS]-(:Visitor) RETURN link
    UNION
    MATCH (contact)-[link:HAS_IDENTIFIER]->(:Identifier) RETURN link
    UNION
    MATCH (contact)-[link:SAME_AS]->(:Contact) RETURN link
  }
  WITH link, wanted WHERE size(wanted.states) = 0 OR link.state IN wanted.states
  RETURN link ORDER BY link.at DESC, link.id LIMIT $limit
}
RETURN wanted.key AS key, {link: link {.*}, kind: type(link), from: startNode(link).id, to: endNode(link).id, value: endNode(link).value, type: endNode(link).type} AS found
