// Purpose: Lock keys of the fold beyond a neighbourhood, in order, and read their latest values.
// Parameters: $named, a map: keys, sorted.
// Columns: values.

UNWIND $named.keys AS key
MERGE (state:State {key: key})
SET state.lock = 0
RETURN collect([state.key, state.value, state.place, state.wrote, state.repeated]) AS values
