// Purpose: Evidence by id, as far as it counts.
// Parameters: $ids, of the evidence.
// Columns: bodies.

UNWIND $ids AS id
MATCH (evidence:Evidence {id: id})
WHERE evidence.pendingSince IS NULL AND evidence.body IS NOT NULL
RETURN collect(evidence.body) AS bodies
