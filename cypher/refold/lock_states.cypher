// Purpose: Lock all that the fold knows, so that nothing steps while late evidence re-folds it.
// Parameters: none.
// Columns: values.
// Plan: offline

MATCH (state:State)
WITH state ORDER BY state.key
SET state.lock = 0
RETURN collect([state.key, state.value, state.place]) AS values
