// Purpose: By whom a code was used, and what was answered.
// Parameters: $key.
// Columns: by, message, outcome.

MATCH (used:Used {key: $key})
OPTIONAL MATCH (evidence:Evidence {id: used.message})
RETURN used.by AS by, used.message AS message, evidence.outcome AS outcome
