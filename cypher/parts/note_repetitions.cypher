// Purpose: Note that identifies only said again what is so: of whom and of what, what they rest on, and up to where. The events are marked as they are appended.
// Parameters: $repetitions, a map: nodes, each with id, properties and last (a place); rests, keys of the fold's memory, each with the last place that rests on it.
// Columns: none.

CALL () {
  UNWIND $repetitions.nodes AS row
  MERGE (repetition:Repetition {id: row.id})
    ON CREATE SET repetition += row.properties
  SET repetition.last = CASE WHEN repetition.last > row.last THEN repetition.last ELSE row.last END
}
CALL () {
  UNWIND $repetitions.rests AS row
  MATCH (state:State {key: row.key})
  SET state.repeated = CASE WHEN state.repeated > row.place THEN state.repeated ELSE row.place END
}
