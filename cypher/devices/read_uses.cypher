// Purpose: When parts of visitors were really in use: first and last event, and how many sessions.
// Parameters: $slices, each with index, cookie, low and high (places), highAt (time), received (by when, or null).
// Columns: slice, firstAt, lastAt, lastPosition, sessions.

UNWIND $slices AS slice
CALL (slice) {
  MATCH (event:Event)
  WHERE event.cookie = slice.cookie AND event.position >= slice.low AND event.position < slice.high
    AND (slice.received IS NULL OR event.receivedAt <= slice.received)
  RETURN event.occurredAt AS firstAt, event.session AS firstSession
  ORDER BY event.cookie, event.position LIMIT 1
}
CALL (slice) {
  MATCH (event:Event)
  WHERE event.cookie = slice.cookie AND event.position >= slice.low AND event.position < slice.high
    AND (slice.received IS NULL OR event.receivedAt <= slice.received)
  RETURN event.occurredAt AS lastAt, event.position AS lastPosition
  ORDER BY event.cookie DESC, event.position DESC LIMIT 1
}
CALL (slice, firstAt, firstSession) {
  MATCH (session:Session)
  WHERE session.cookie = slice.cookie
    AND session.startedAt >= firstAt AND session.startedAt < slice.highAt
    AND (slice.received IS NULL OR EXISTS {
      MATCH (event:Event)
      WHERE event.cookie = slice.cookie AND event.position >= slice.low AND event.position < slice.high
        AND event.position >= right('000000000000000' + toString(session.startedAt), 16)
        AND event.position < right('000000000000000' + toString(session.lastActivityAt + 1), 16)
        AND event.session = session.id AND event.receivedAt <= slice.received
    })
  RETURN count(session) AS begun,
    count(CASE WHEN session.id = firstSession THEN 1 END) AS withFirst
}
RETURN slice.index AS slice, firstAt, lastAt, lastPosition, begun + 1 - withFirst AS sessions
