// Purpose: When evidence was recorded.
// Parameters: $ids, of the evidence.
// Columns: id, recordedAt.

UNWIND $ids AS id
MATCH (evidence:Evidence {id: id})
RETURN evidence.id AS id, evidence.recordedAt AS recordedAt
