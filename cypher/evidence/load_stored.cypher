// Purpose: Evidence that is to be stepped again: lock the keys that it touched, in order, and read their latest values and what it wrote.
// Parameters: $named, a map: places, of the evidence.
// Columns: pieces, values, writes.

CALL () {
  UNWIND $named.places AS place
  MATCH (evidence:Evidence {place: place})
  RETURN collect(evidence) AS found
}
CALL (found) {
  UNWIND found AS evidence
  UNWIND evidence.touched AS key
  WITH DISTINCT key ORDER BY key
  MATCH (state:State {key: key})
  SET state.lock = 0
  RETURN collect(state) AS states
}
CALL (found, states) {
  UNWIND found AS evidence
  UNWIND evidence.touched AS key
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = key AND touch.wrote = true AND touch.place = evidence.place
  RETURN collect([key, touch.place, touch.value]) AS writes
}
RETURN [evidence IN found | [evidence.place, evidence.body, coalesce(evidence.touched, []), evidence.links]] AS pieces,
  [state IN states | [state.key, state.value, state.place, state.wrote, state.repeated]] AS values, writes
