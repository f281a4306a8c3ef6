// Purpose: Lock an erasure that waits for its job, and read what was asked.
// Parameters: $id, of the evidence.
// Columns: body, digest, subject, answer.

MATCH (evidence:Evidence {id: $id})
SET evidence.lock = 0
REMOVE evidence.lock
WITH evidence
WHERE evidence.pendingSince IS NOT NULL AND evidence.operation = 'erase'
RETURN evidence.body AS body, evidence.digest AS digest, evidence.subject AS subject, evidence.answer AS answer
