// Purpose: Sessions, each cut to one visitor: when its first and last event there happened.
// Parameters: $cuts, each with key, session, low and high (places of the visitor), received (by when, or null).
// Columns: key, session, cookie, firstAt, lastAt, lastPosition.

UNWIND $cuts AS cut
MATCH (session:Session {id: cut.session})
CALL (cut, session) {
  WITH cut, session, right('000000000000000' + toString(session.startedAt), 16) AS started
  WITH cut, session, CASE WHEN cut.low > started THEN cut.low ELSE started END AS low
  MATCH (event:Event)
  WHERE event.cookie = session.cookie AND event.position >= low AND event.position < cut.high
    AND event.session = session.id
    AND (cut.received IS NULL OR event.receivedAt <= cut.received)
  RETURN event.occurredAt AS firstAt ORDER BY event.cookie, event.position LIMIT 1
}
CALL (cut, session) {
  WITH cut, session, right('000000000000000' + toString(session.lastActivityAt + 1), 16) AS over
  WITH cut, session, CASE WHEN cut.high < over THEN cut.high ELSE over END AS high
  MATCH (event:Event)
  WHERE event.cookie = session.cookie AND event.position >= cut.low AND event.position < high
    AND event.session = session.id
    AND (cut.received IS NULL OR event.receivedAt <= cut.received)
  RETURN event.occurredAt AS lastAt, event.position AS lastPosition
  ORDER BY event.cookie DESC, event.position DESC LIMIT 1
}
RETURN cut.key AS key, session.id AS session, session.cookie AS cookie, firstAt, lastAt, lastPosition
