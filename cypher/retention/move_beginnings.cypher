// Purpose: Have cookies say when the first event that is left of them happened, and when the last chat that is left was begun.
// Parameters: $ids, of the cookies.
// Columns: none.

UNWIND $ids AS id
MATCH (cookie:Cookie {id: id})
CALL (id) {
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = id AND event.position >= ''
  RETURN event.occurredAt AS first ORDER BY event.cookie, event.position LIMIT 1
}
CALL (id) {
  OPTIONAL MATCH (chat:Chat)
    USING INDEX chat:Chat(cookie, position)
  WHERE chat.cookie = id AND chat.position >= ''
  RETURN max(chat.startedAt) AS lastChat
}
SET cookie.firstSeenAt = first, cookie.lastChatAt = lastChat
FINISH
