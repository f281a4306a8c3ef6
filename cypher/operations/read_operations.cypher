// Purpose: Operations by the id of their evidence, as they were recorded.
// Parameters: $ids, ids of evidence.
// Columns: id, body, digest, links, answer, isPending.

UNWIND $ids AS id
MATCH (evidence:Evidence {id: id})
WHERE evidence.kind IN ['merge', 'sever', 'promote', 'keep_apart', 'block', 'restore', 'erase']
RETURN evidence.id AS id, evidence.body AS body, evidence.digest AS digest, evidence.links AS links, evidence.answer AS answer, evidence.pendingSince IS NOT NULL AS isPending
