// Purpose: A page of the repetitions.
// Parameters: $named, a map: after, the id that the page follows; size, of the page.
// Columns: ids.
// Plan: offline

CALL () {
  MATCH (repetition:Repetition)
    USING INDEX repetition:Repetition(id)
  WHERE repetition.id > $named.after
  RETURN repetition ORDER BY repetition.id LIMIT $named.size
}
RETURN collect(repetition.id) AS ids
