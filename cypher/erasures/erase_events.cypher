// Purpose: Erase some events of a range of a cookie that were received up to a time; each leaves its message id and its cookie, so that it is known when it comes again from there.
// Parameters: $range, a map: cookie, low and high (places); $until, microseconds since 1970 UTC; $most, how many at once.
// Columns: events, chats (ids of those of which they were lines).

MATCH (event:Event)
  USING INDEX event:Event(cookie, position)
WHERE event.cookie = $range.cookie AND event.position >= $range.low AND event.position < $range.high AND event.receivedAt <= $until
WITH event LIMIT $most
OPTIONAL MATCH (event)-[part:IN_SESSION]->(session:Session)
DELETE part
WITH event, event.chat AS chat, session
SET event = {messageId: event.messageId, cookie: event.cookie}
WITH count(DISTINCT event) AS events, collect(DISTINCT session) AS sessions, collect(DISTINCT chat) AS chats
CALL (sessions) {
  UNWIND sessions AS session
  WITH session
  WHERE NOT EXISTS { (session)<-[:IN_SESSION]-() }
  DETACH DELETE session
}
RETURN events, chats
