// Purpose: Write a unit of work of which all that it says is so already: its events, and what they repeat.
// Parameters: $batch, events that are not stored yet, as graphid.service.batches makes it; $repetitions, as parts/note_repetitions has it.
// Columns: none.

CALL () {
  // Include: parts/append_events
}
CALL () {
  // Include: parts/note_repetitions
}
FINISH
