// Purpose: The messages of chats, oldest first.
// Parameters: $chats, each with key, id, after (the position that the page follows), until (the position that it ends before, or null) and received (by when, or null); $limit, how many of each.
// Columns: key, messages.

UNWIND $chats AS wanted
CALL (wanted) {
  MATCH (event:Event)
  WHERE event.chat = wanted.id AND event.position > wanted.after
    AND (wanted.until IS NULL OR event.position < wanted.until)
    AND (wanted.received IS NULL OR event.receivedAt <= wanted.received)
  WITH event ORDER BY event.chat, event.position
  WHERE event.type = 'CHAT_MESSAGE'
  RETURN event LIMIT $limit
}
RETURN wanted.key AS key, collect([event.messageId, event.cookie, event.position, event.occurredAt, event.detail]) AS messages
