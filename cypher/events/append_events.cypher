// Purpose: Append events to their cookies; or, where the id of any is known, nothing: those are answered as they were stored, and the others can be sent again without them.
// Parameters: $ids, the message ids of the events; $batch, the events, as graphid.service.batches makes it of them.
// Columns: known.

CALL () {
  UNWIND $ids AS id
  MATCH (stored:Event {messageId: id})
  RETURN collect(stored {.messageId, .cookie, .device, .position, .occurredAt, .receivedAt, .digest, .chat, .type}) AS known
}
CALL (known) {
  WITH known
  WHERE size(known) = 0
  // Include: parts/append_events
}
RETURN known
