// Purpose: When the first and the last event of what a person owns happened.
// Parameters: $slices, each with person, cookie, low and high (places).
// Columns: person, firstAt, lastAt.

UNWIND $slices AS slice
CALL (slice) {
  MATCH (event:Event)
  WHERE event.cookie = slice.cookie AND event.position >= slice.low AND event.position < slice.high
  RETURN event.occurredAt AS firstAt ORDER BY event.cookie, event.position LIMIT 1
}
CALL (slice) {
  MATCH (event:Event)
  WHERE event.cookie = slice.cookie AND event.position >= slice.low AND event.position < slice.high
  RETURN event.occurredAt AS lastAt ORDER BY event.cookie DESC, event.position DESC LIMIT 1
}
RETURN slice.person AS person, min(firstAt) AS firstAt, max(lastAt) AS lastAt
