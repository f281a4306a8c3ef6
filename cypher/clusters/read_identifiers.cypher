// Purpose: Identifiers, each with the contacts that hold or held it.
// Parameters: $named, a map: ids, of identifiers; most, how many holds of each are looked at.
// Columns: rows.

UNWIND $named.ids AS id
MATCH (identifier:Identifier {id: id})
CALL (identifier) {
  MATCH (identifier)<-[hold:HAS_IDENTIFIER]-(contact:Contact)
  WITH hold, contact LIMIT $named.most
  RETURN collect([contact.id, hold.id, hold.state, hold.assurance, hold.at]) AS holds
}
RETURN collect([identifier.id, identifier.type, identifier.value, holds]) AS rows
