// Purpose: The evidence that has waited longest for its job.
// Parameters: $passed, ids of what is not asked for.
// Columns: id.

MATCH (evidence:Evidence)
  USING INDEX evidence:Evidence(pendingSince)
WHERE evidence.pendingSince >= 0 AND NOT evidence.id IN $passed
RETURN evidence.id AS id ORDER BY evidence.pendingSince LIMIT 1
