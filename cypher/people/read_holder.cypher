// Purpose: The person who holds an identifier.
// Parameters: $key, the identifier as type:value.
// Columns: person.

MATCH (:Identifier {key: $key})<-[held:HAS_IDENTIFIER]-(:Contact)-[:BELONGS_TO]->(person:Person)
WHERE held.state = 'ACTIVE'
WITH DISTINCT person
RETURN
  // Include: parts/person_columns
