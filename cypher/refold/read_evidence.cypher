// Purpose: All evidence that is stored.
// Parameters: none.
// Columns: body.
// Plan: offline

MATCH (evidence:Evidence)
RETURN evidence.body AS body
