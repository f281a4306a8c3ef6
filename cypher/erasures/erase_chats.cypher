// Purpose: Have chats of which lines were erased say what the lines say that are left: where it began, when it first ended, and who was vouched for if that line is left. Those of which no line is left go.
// Parameters: $ids, of the chats.
// Columns: none.

UNWIND $ids AS id
MATCH (chat:Chat {id: id})
// Who adds a line meanwhile waits for this, or is seen below.
SET chat.lock = 0
WITH chat
CALL (chat) {
  OPTIONAL MATCH (line:Event)
  WHERE line.chat = chat.id AND line.position >= ''
  WITH chat, line ORDER BY line.position = chat.position DESC, line.position
  RETURN collect(line) AS lines, min(CASE line.type WHEN 'CHAT_END' THEN line.occurredAt END) AS endedAt
}
OPTIONAL MATCH (chat)-[part:IN_SESSION]->(session:Session)
DELETE part
WITH chat, lines, endedAt, collect(session) AS sessions
FOREACH (line IN lines[..1] |
  SET chat.position = line.position, chat.startedAt = line.occurredAt, chat.session = line.session, chat.endedAt = endedAt
)
FOREACH (_ IN CASE WHEN any(line IN lines WHERE line.position = chat.vouchedFor) THEN [] ELSE [1] END |
  REMOVE chat.issuer, chat.subject, chat.authenticatedAt, chat.vouchedFor
)
REMOVE chat.lock
FOREACH (_ IN CASE WHEN size(lines) = 0 THEN [1] ELSE [] END | DETACH DELETE chat)
WITH chat, sessions, head(lines) AS begun
CALL (chat, begun) {
  MATCH (begun)-[:IN_SESSION]->(session:Session)
  MERGE (chat)-[:IN_SESSION]->(session)
}
WITH collect(sessions) AS left
UNWIND left AS sessions
UNWIND sessions AS session
WITH DISTINCT session
WHERE NOT EXISTS { (session)<-[:IN_SESSION]-() }
DETACH DELETE session
