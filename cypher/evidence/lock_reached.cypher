// Purpose: Lock what earlier attempts of a unit of work met, in one order: the keys, and those that evidence at the places touched.
// Parameters: $named, a map: keys; places, of evidence.
// Columns: none.

CALL () {
  UNWIND $named.places AS place
  MATCH (evidence:Evidence {place: place})
  UNWIND evidence.touched AS key
  RETURN collect(DISTINCT key) AS touched
}
CALL (touched) {
  UNWIND $named.keys + touched AS key
  WITH DISTINCT key ORDER BY key
  MATCH (state:State {key: key})
  SET state.lock = 0
}
FINISH
