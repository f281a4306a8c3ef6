// Purpose: The links that make people, and those that keep them apart from others, newest first; of an anonymous person, what was withdrawn of the visitor.
// Parameters: $people, each with key, id (of a person, or of a visitor) and states (empty: all); $limit, how many of each.
// Columns: key, found.

UNWIND $people AS wanted
CALL (wanted) {
  CALL (wanted) {
    MATCH (person:Person {id: wanted.id})
    MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
    CALL (contact) {
      MATCH (contact)<-[link:IDENTIFIED_AS]-(:Visitor) RETURN link
      UNION
      MATCH (contact)-[link:HAS_IDENTIFIER]->(:Identifier) RETURN link
      UNION
      MATCH (contact)-[link:SAME_AS]->(:Contact) RETURN link
      UNION
      MATCH (contact)-[link:NOT_SAME_AS]-(:Contact) RETURN link
    }
    RETURN link
    UNION
    MATCH (visitor:Visitor {id: wanted.id})
    MATCH (visitor)-[link:IDENTIFIED_AS]->(:Contact)
    WHERE link.state = 'SEVERED'
    RETURN link
  }
  WITH DISTINCT link, wanted WHERE size(wanted.states) = 0 OR link.state IN wanted.states
  RETURN link ORDER BY link.at DESC, link.id LIMIT $limit
}
RETURN wanted.key AS key, {link: link {.*}, kind: type(link), from: startNode(link).id, to: endNode(link).id, value: endNode(link).value, type: endNode(link).type} AS found
