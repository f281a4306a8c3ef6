// Purpose: Identifiers, each with the contacts that hold or held it.
// Parameters: $named, a map: ids, of identifiers; most, how many holds of each are looked at.
// Columns: identifiers.

UNWIND $named.ids AS id
MATCH (identifier:Identifier {id: id})
  // Include: parts/identifier_around
