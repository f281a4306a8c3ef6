// Purpose: Where sessions begin: the cookie, and the place of the first event.
// Parameters: $ids, ids of stored sessions.
// Columns: session, cookie, position.

UNWIND $ids AS id
MATCH (session:Session {id: id})
CALL (session) {
  MATCH (event:Event)
  WHERE event.cookie = session.cookie
    AND event.position >= right('000000000000000' + toString(session.startedAt), 16)
    AND event.session = session.id
  RETURN event.position AS position ORDER BY event.cookie, event.position LIMIT 1
}
RETURN session.id AS session, session.cookie AS cookie, position
