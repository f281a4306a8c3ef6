// Purpose: Evidence that has no place, where no index finds it, although it says something still.
// Parameters: none.
// Columns: id.
// Plan: offline

MATCH (evidence:Evidence)
WHERE evidence.place IS NULL AND evidence.body IS NOT NULL
RETURN evidence.id AS id
