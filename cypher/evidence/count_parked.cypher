// Purpose: How much evidence waits for its job.
// Parameters: $most, where counting stops.
// Columns: parked.

MATCH (evidence:Evidence)
  USING INDEX evidence:Evidence(pendingSince)
WHERE evidence.pendingSince >= 0
WITH evidence LIMIT $most
RETURN count(evidence) AS parked
