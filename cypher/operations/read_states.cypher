// Purpose: The latest values of keys of the fold, without a lock.
// Parameters: $keys, the keys.
// Columns: key, value.

UNWIND $keys AS key
MATCH (state:State {key: key})
RETURN state.key AS key, state.value AS value
