// Purpose: Take out keys of the fold that were made to be locked, and that nothing ever touched: they name what was erased.
// Parameters: $named, a map: keys.
// Columns: none.

UNWIND $named.keys AS key
MATCH (state:State {key: key})
WHERE state.value IS NULL AND state.place IS NULL
DELETE state
