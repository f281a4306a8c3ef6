// Purpose: Erase the chats that were begun in a range of a cookie and of which no line is left; of the others, who it was.
// Parameters: $range, a map: cookie, low and high (places).
// Columns: none.

MATCH (chat:Chat)
  USING INDEX chat:Chat(cookie, position)
WHERE chat.cookie = $range.cookie AND chat.position >= $range.low AND chat.position < $range.high
REMOVE chat.issuer, chat.subject, chat.authenticatedAt, chat.vouchedFor
WITH chat
WHERE NOT EXISTS { MATCH (line:Event) WHERE line.chat = chat.id AND line.position >= '' }
OPTIONAL MATCH (chat)-[:IN_SESSION]->(session:Session)
DETACH DELETE chat
WITH collect(DISTINCT session) AS sessions
UNWIND sessions AS session
WITH session
WHERE NOT EXISTS { (session)<-[:IN_SESSION]-() }
DETACH DELETE session
