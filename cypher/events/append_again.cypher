// Purpose: Append events that say again who is there, if what that rests on is as it was; else, or where the id of any is known, nothing.
// Parameters: $ids, the message ids of the events; $batch, the events, as graphid.service.batches makes it of them; $repetitions, as parts/note_repetitions has it; $grounds, keys of the fold's memory, sorted, each with how often it was written when it was looked at.
// Columns: known, changed.

CALL () {
  UNWIND $grounds AS row
  MATCH (state:State {key: row.key})
  SET state.lock = 0
  // Of one that an erasure deleted meanwhile all reads as null: the key tells it from what was never written.
  RETURN collect(CASE WHEN state.key = row.key AND coalesce(state.writes, 0) = row.writes THEN row.key END) AS same
}
// After the locks: who waited for the same message sees it now.
CALL (same) {
  UNWIND $ids AS id
  MATCH (stored:Event {messageId: id})
  RETURN collect(stored {.messageId, .cookie, .device, .position, .occurredAt, .receivedAt, .digest, .chat, .type}) AS known
}
CALL (same, known) {
  WITH same, known
  WHERE size(known) = 0 AND size(same) = size($grounds)
  // Include: parts/append_events
}
CALL (same, known) {
  WITH same, known
  WHERE size(known) = 0 AND size(same) = size($grounds)
  // Include: parts/note_repetitions
}
RETURN known, [row IN $grounds WHERE NOT row.key IN same | row.key] AS changed
