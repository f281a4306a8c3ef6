// Purpose: Events that are marked as saying again what is so, with the repetition that each is one of: a page of them, or named ones.
// Parameters: $named, a map: ids, message ids; repetition and said, of the mark that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (event:Event {messageId: id})
  RETURN event
  UNION ALL
  MATCH (event:Event)
    USING INDEX event:Event(repetition, said)
  WHERE event.repetition = $named.repetition AND event.said > $named.said
  RETURN event ORDER BY event.repetition, event.said LIMIT $named.size
}
MATCH (repetition:Repetition {id: event.repetition})
RETURN collect([event.messageId, event {.messageId, .occurredAt, .receivedAt, .cookie, .device, .actor, .digest, .said}, repetition {.id, .identifier, .assurance, .policy, .contact, .last}]) AS rows
