// Purpose: Evidence by its places in the fold.
// Parameters: $named, a map: places.
// Columns: rows.

UNWIND $named.places AS place
MATCH (evidence:Evidence {place: place})
WITH DISTINCT evidence
RETURN collect([evidence.id, evidence.body, evidence.pendingSince]) AS rows
