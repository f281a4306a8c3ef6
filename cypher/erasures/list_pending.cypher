// Purpose: Erasures that have events left to erase, the oldest first.
// Parameters: $passed, ids of what is not asked for.
// Columns: id.

MATCH (erasure:Erasure)
  USING INDEX erasure:Erasure(pendingSince)
WHERE erasure.pendingSince >= 0 AND NOT erasure.id IN $passed
RETURN erasure.id AS id ORDER BY erasure.pendingSince LIMIT 1
