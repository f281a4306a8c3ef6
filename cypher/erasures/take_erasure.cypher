// Purpose: Lock an erasure for the rest of this transaction, and read where its events lie.
// Parameters: $id, of the evidence.
// Columns: since, ranges.

MATCH (erasure:Erasure {id: $id})
SET erasure.lock = 0
WITH erasure
WHERE erasure.ranges IS NOT NULL
RETURN erasure.pendingSince AS since, erasure.ranges AS ranges
