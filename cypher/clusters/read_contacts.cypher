// Purpose: Contacts of people, each with what it holds or held, and what it is the same as or kept apart from.
// Parameters: $named, a map: ids, of contacts; most, how many of each are looked at.
// Columns: rows.

UNWIND $named.ids AS id
MATCH (contact:Contact {id: id})-[:BELONGS_TO]->(person:Person)
CALL (contact) {
  MATCH (contact)-[hold:HAS_IDENTIFIER]->(identifier:Identifier)
  WITH hold, identifier LIMIT $named.most
  RETURN collect([identifier.id, hold.id, hold.state, hold.assurance, hold.at]) AS holds
}
CALL (contact) {
  MATCH (contact)-[same:SAME_AS|NOT_SAME_AS]->(other:Contact)
  WITH same, other LIMIT $named.most
  RETURN collect([other.id, same.id, same.state, same.assurance, same.at, type(same)]) AS same
}
RETURN collect([
  person.id, holds, same,
  // Include: parts/contact_columns
]) AS rows
