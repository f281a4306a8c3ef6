// Purpose: Who holds an identifier.
// Parameters: $keys, identifiers as type:value.
// Columns: key, person.

UNWIND $keys AS key
MATCH (identifier:Identifier {key: key})
MATCH (identifier)<-[hold:HAS_IDENTIFIER]-(:Contact)-[:BELONGS_TO]->(person:Person)
WHERE hold.state = 'ACTIVE'
RETURN DISTINCT key, person.id AS person
