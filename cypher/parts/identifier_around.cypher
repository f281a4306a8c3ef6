// Purpose: An identifier, with the contacts that hold or held it. Of $named it takes what clusters/read_identifiers does.
// Columns: identifiers.

CALL (identifier) {
  MATCH (identifier)<-[hold:HAS_IDENTIFIER]-(contact:Contact)
  WITH hold, contact LIMIT $named.most
  RETURN collect([contact.id, hold.id, hold.state, hold.assurance, hold.at]) AS holds
}
RETURN collect([identifier.id, identifier.type, identifier.value, holds]) AS identifiers
