// Purpose: Contacts of people, each with what it holds or held, and what it is the same as or kept apart from; and, read ahead, some of the identifiers, as clusters/read_identifiers has them.
// Parameters: $named, a map: ids, of contacts; most, how many of each are looked at; ahead, of how many identifiers.
// Columns: rows, identifiers.

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
WITH collect([
  person.id, holds, same,
  // Include: parts/contact_columns
]) AS rows
CALL (rows) {
  UNWIND rows AS row
  UNWIND row[1] AS held
  WITH DISTINCT held[0] AS id
  LIMIT $named.ahead
  MATCH (identifier:Identifier {id: id})
  // Include: parts/identifier_around
}
RETURN rows, identifiers
