// Purpose: What the graph holds of the fold's keys: a page of them, or named ones.
// Parameters: $named, a map: ids, the keys; after, the key that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (state:State {key: id})
  RETURN state
  UNION ALL
  MATCH (state:State)
    USING INDEX state:State(key)
  WHERE state.key > $named.after
  RETURN state ORDER BY state.key LIMIT $named.size
}
RETURN collect([state.key, state.value, state.wrote, state.place, state.refs, state.repeated]) AS rows
