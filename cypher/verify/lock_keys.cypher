// Purpose: Lock keys of the fold as units of work do, for the rest of this transaction, and make none.
// Parameters: $keys, sorted.
// Columns: none.
// Plan: offline

UNWIND $keys AS key
MATCH (state:State {key: key})
SET state.lock = 0
FINISH
