// Purpose: Lock evidence that waits for its job, for the rest of this transaction: of several jobs that want it, one at a time reads on.
// Parameters: $id, of the evidence.
// Columns: body, digest.

MATCH (evidence:Evidence {id: $id})
SET evidence.lock = 0
REMOVE evidence.lock
WITH evidence
WHERE evidence.pendingSince IS NOT NULL
RETURN evidence.body AS body, evidence.digest AS digest
