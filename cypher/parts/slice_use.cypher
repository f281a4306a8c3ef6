// Purpose: When a part of a visitor (slice: cookie, low and high, highAt, received) was really in use; no row where it never was.
// Columns: firstAt, lastAt, lastPosition, begun, withFirst (of the sessions begun in it, whether the first event's is one).

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
