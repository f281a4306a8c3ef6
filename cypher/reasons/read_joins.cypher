// Purpose: What joins the contacts of people: links between them that stand, and identifiers that several hold or that are asked for.
// Parameters: $named, a map: people, ids of people as they now are; identifiers, ids of those that are asked for.
// Columns: joins (person, link, its two ends, assurance, when).

UNWIND $named.people AS id
MATCH (person:Person {id: id})
MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
CALL (contact) {
  MATCH (contact)-[link:SAME_AS]->(other:Contact)
  WHERE link.state = 'ACTIVE'
  RETURN link, other.id AS other
  UNION ALL
  MATCH (contact)-[link:HAS_IDENTIFIER]->(identifier:Identifier)
  WHERE link.state = 'ACTIVE' AND (identifier.id IN $named.identifiers OR COUNT { (identifier)<-[:HAS_IDENTIFIER]-() } > 1)
  RETURN link, identifier.id AS other
}
RETURN collect([id, link.id, contact.id, other, link.assurance, link.at]) AS joins
