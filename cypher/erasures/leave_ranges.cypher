// Purpose: Note where events of an erasure are still to be erased.
// Parameters: $id, of the evidence; $ranges, JSON; null where there are none.
// Columns: none.

MATCH (erasure:Erasure {id: $id})
SET erasure.ranges = $ranges, erasure.pendingSince = CASE WHEN $ranges IS NULL THEN null ELSE erasure.pendingSince END
REMOVE erasure.lock
