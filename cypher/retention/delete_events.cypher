// Purpose: Delete the first events of parts of cookies, the chats of which no line is left, and the sessions that this leaves empty.
// Parameters: $parts, each with cookie, low and high (places); $most, how many events at once.
// Columns: events, chats, sessions.

CALL () {
  UNWIND $parts AS part
  CALL (part) {
    MATCH (event:Event)
      USING INDEX event:Event(cookie, position)
    WHERE event.cookie = part.cookie AND event.position >= part.low AND event.position < part.high
    RETURN event ORDER BY event.cookie, event.position LIMIT $most
  }
  WITH event LIMIT $most
  OPTIONAL MATCH (event)-[:IN_SESSION]->(session:Session)
  WITH collect(DISTINCT event) AS found, collect(DISTINCT session) AS touched, collect(DISTINCT event.chat) AS ids
  FOREACH (event IN found | DETACH DELETE event)
  RETURN size(found) AS events, touched, ids
}
CALL (ids) {
  UNWIND ids AS id
  MATCH (chat:Chat {id: id})
  WHERE NOT EXISTS { MATCH (line:Event) WHERE line.chat = chat.id AND line.position >= '' }
  OPTIONAL MATCH (chat)-[:IN_SESSION]->(session:Session)
  WITH collect(DISTINCT chat) AS ended, collect(DISTINCT session) AS left
  FOREACH (chat IN ended | DETACH DELETE chat)
  RETURN size(ended) AS chats, left
}
CALL (touched, left) {
  UNWIND touched + left AS session
  WITH DISTINCT session
  WHERE NOT EXISTS { (session)<-[:IN_SESSION]-() }
  WITH collect(session) AS empty
  FOREACH (session IN empty | DETACH DELETE session)
  RETURN size(empty) AS sessions
}
RETURN events, chats, sessions
