// Purpose: Chats by id.
// Parameters: $ids, ids of chats.
// Columns: chat.

UNWIND $ids AS id
MATCH (chat:Chat {id: id})
RETURN chat {.*} AS chat
