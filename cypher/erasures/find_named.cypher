// Purpose: The contacts that are made no more and that were named for one of these identifiers.
// Parameters: $identifiers, as type:value.
// Columns: id, namedFor, evidence.

UNWIND $identifiers AS key
MATCH (contact:Contact {namedFor: key})
WHERE NOT EXISTS { (contact)-[:BELONGS_TO]->() }
RETURN contact.id AS id, contact.namedFor AS namedFor, contact.evidence AS evidence
