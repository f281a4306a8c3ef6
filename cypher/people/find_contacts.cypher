// Purpose: The contact of a source's record, and its person.
// Parameters: $source, the source; $sourceId, its id of the record.
// Columns: contact, person.

MATCH (contact:Contact)
WHERE contact.source = $source AND contact.sourceId = $sourceId
MATCH (contact)-[:BELONGS_TO]->(person:Person)
RETURN contact.id AS contact, person.id AS person
