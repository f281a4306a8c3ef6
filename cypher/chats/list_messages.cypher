// Purpose: The messages of chats, oldest first.
// Parameters: $chats, each with key, id and after (the position that the page follows); $limit, how many of each.
// Columns: key, messages.

UNWIND $chats AS wanted
CALL (wanted) {
  MATCH (event:Event)
  WHERE event.chat = wanted.id AND event.position > wanted.after
  WITH event ORDER BY event.chat, event.position
  WHERE event.type = 'CHAT_MESSAGE'
  RETURN event LIMIT $limit
}
RETURN wanted.key AS key, collect([event.messageId, event.cookie, event.position, event.occurredAt, event.detail]) AS messages
