// Purpose: The first mark behind a place of each repetition that rests on a cookie, a device, an identifier or a contact, or is named itself.
// Parameters: $behind, a map: cookie, device, identifier, contact, repetition, each a list of ids with the place.
// Columns: marks.

CALL () {
  UNWIND $behind.cookie AS row
  MATCH (repetition:Repetition)
    USING INDEX repetition:Repetition(cookie, last)
  WHERE repetition.cookie = row.id AND repetition.last > row.place
  RETURN repetition, row.place AS place
  UNION ALL
  UNWIND $behind.device AS row
  MATCH (repetition:Repetition)
    USING INDEX repetition:Repetition(device, last)
  WHERE repetition.device = row.id AND repetition.last > row.place
  RETURN repetition, row.place AS place
  UNION ALL
  UNWIND $behind.identifier AS row
  MATCH (repetition:Repetition)
    USING INDEX repetition:Repetition(identifier, last)
  WHERE repetition.identifier = row.id AND repetition.last > row.place
  RETURN repetition, row.place AS place
  UNION ALL
  UNWIND $behind.contact AS row
  MATCH (repetition:Repetition)
    USING INDEX repetition:Repetition(contact, last)
  WHERE repetition.contact = row.id AND repetition.last > row.place
  RETURN repetition, row.place AS place
  UNION ALL
  UNWIND $behind.repetition AS row
  MATCH (repetition:Repetition {id: row.id})
  RETURN repetition, row.place AS place
}
CALL (repetition, place) {
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = repetition.cookie
    // A judgement's place is before all times.
    AND event.position >= CASE WHEN place STARTS WITH '!' THEN '' ELSE left(place, 16) END
    AND event.repetition = repetition.id AND event.said > place
  RETURN left(event.position, 16) AS at ORDER BY event.cookie, event.position LIMIT 1
}
CALL (repetition, place, at) {
  // Of one moment, the first is not always that of the event which is first.
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = repetition.cookie AND event.position >= at AND event.position < at + '~'
    AND event.repetition = repetition.id AND event.said > place
  RETURN event ORDER BY event.said LIMIT 1
}
RETURN collect(DISTINCT [event {.messageId, .occurredAt, .receivedAt, .cookie, .device, .actor, .digest}, repetition {.id, .identifier, .assurance, .policy, .contact, .last}]) AS marks
