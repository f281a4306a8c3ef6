// Purpose: Take a parked erasure out, to record it as it is done.
// Parameters: $id, of the evidence.
// Columns: none.

MATCH (evidence:Evidence {id: $id})
DELETE evidence
