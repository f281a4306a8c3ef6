// Purpose: Events that are marked as saying again what is so, with the repetition that each is one of: a page of one repetition's, or named ones.
// Parameters: $named, a map: ids, message ids; repetition, and after, the position that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (event:Event {messageId: id})
  MATCH (repetition:Repetition {id: event.repetition})
  RETURN event, repetition
  UNION ALL
  MATCH (repetition:Repetition {id: $named.repetition})
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = repetition.cookie AND event.position > $named.after AND event.repetition = repetition.id
  RETURN event, repetition ORDER BY event.cookie, event.position LIMIT $named.size
}
RETURN collect([event.messageId, event {.messageId, .occurredAt, .receivedAt, .cookie, .device, .actor, .digest, .said, .position}, repetition {.id, .identifier, .assurance, .policy, .contact, .last}]) AS rows
