// Purpose: The newest sessions of what a person owns, each cut to its visitor; a session belongs to whom its last event there belongs to.
// Parameters: $slices, each with index, cookie, low and high (places owned), from and to (places of the visitor), lowAt and highAt (times); $beforeAt and $beforeId, the session that the page follows; $limit, how many.
// Columns: slice, session, firstAt, lastAt, lastPosition.

UNWIND $slices AS slice
CALL (slice) {
  CALL (slice) {
    MATCH (session:Session)
    WHERE session.cookie = slice.cookie
      AND session.startedAt >= slice.lowAt AND session.startedAt < slice.highAt
      AND session.startedAt <= $beforeAt
    RETURN session ORDER BY session.cookie DESC, session.startedAt DESC LIMIT $limit + 2
    UNION
    MATCH (session:Session)
    WHERE session.cookie = slice.cookie AND session.startedAt < slice.lowAt
    WITH session ORDER BY session.cookie DESC, session.startedAt DESC LIMIT 2
    WITH session WHERE session.lastActivityAt >= slice.lowAt
    RETURN session
  }
  CALL (slice, session) {
    MATCH (event:Event)
    WHERE event.cookie = slice.cookie AND event.position >= slice.from AND event.position < slice.to
      AND event.position >= right('000000000000000' + toString(session.startedAt), 16)
      AND event.session = session.id
    RETURN event.occurredAt AS firstAt ORDER BY event.cookie, event.position LIMIT 1
  }
  CALL (slice, session) {
    MATCH (event:Event)
    WHERE event.cookie = slice.cookie AND event.position >= slice.from AND event.position < slice.to
      AND event.position < right('000000000000000' + toString(session.lastActivityAt + 1), 16)
      AND event.session = session.id
    RETURN event.occurredAt AS lastAt, event.position AS lastPosition
    ORDER BY event.cookie DESC, event.position DESC LIMIT 1
  }
  WITH slice, session, firstAt, lastAt, lastPosition
  WHERE lastPosition >= slice.low AND lastPosition < slice.high
  RETURN session, firstAt, lastAt, lastPosition
}
WITH slice, session.id AS id, firstAt, lastAt, lastPosition
WHERE firstAt < $beforeAt OR (firstAt = $beforeAt AND id < $beforeId)
RETURN slice.index AS slice, id AS session, firstAt, lastAt, lastPosition
ORDER BY firstAt DESC, id DESC LIMIT $limit
