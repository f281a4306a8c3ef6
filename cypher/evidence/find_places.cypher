// Purpose: Where evidence stands in the fold, as far as it is not pending.
// Parameters: $ids, of the evidence.
// Columns: place.

UNWIND $ids AS id
MATCH (evidence:Evidence {id: id})
WHERE evidence.pendingSince IS NULL
RETURN evidence.place AS place
