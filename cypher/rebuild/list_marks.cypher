// Purpose: Some marks of repetitions under a lower version of the policy: what is under a later one stays so.
// Parameters: $named, a map: version; most, how many.
// Columns: marks.
// Plan: offline

MATCH (repetition:Repetition)
WHERE repetition.policy < $named.version
CALL (repetition) {
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = repetition.cookie AND event.position > '' AND event.repetition = repetition.id
  RETURN event LIMIT $named.most
}
WITH repetition, event LIMIT $named.most
RETURN collect([event {.messageId, .occurredAt, .receivedAt, .cookie, .device, .actor, .digest}, repetition {.id, .identifier, .assurance, .policy, .contact, .last}]) AS marks
