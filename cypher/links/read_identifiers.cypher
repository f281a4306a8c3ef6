// Purpose: Identifiers by id of their node.
// Parameters: $ids, ids of identifiers.
// Columns: id, type, value.

UNWIND $ids AS id
MATCH (identifier:Identifier {id: id})
RETURN identifier.id AS id, identifier.type AS type, identifier.value AS value
