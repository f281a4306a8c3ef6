// Purpose: Chats by id, as they were by then; what had not begun is missing.
// Parameters: $ids, ids of chats; $horizon, a map: place (only what stands before it) and received (by when it came, or null).
// Columns: chat, endedAt, badge.

UNWIND $ids AS id
MATCH (chat:Chat {id: id})
CALL (chat) {
  // Include: parts/chat_then
}
RETURN chat {.*} AS chat, endedAt, badge
