// Purpose: Read what a step asked for beyond its neighbourhood.
// Parameters: $keys, what to read.
// Columns: values.

UNWIND $keys AS key
OPTIONAL MATCH (state:State {key: key})
RETURN collect([key, state.value, state.place]) AS values
