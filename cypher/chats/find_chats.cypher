// Purpose: The chats that messages name, each with the cookie and the device that it was begun on, the publishable key that began it, if one did, and when.
// Parameters: $ids, ids of chats.
// Columns: chats.

UNWIND $ids AS id
MATCH (chat:Chat {id: id})
RETURN collect([chat.id, chat.cookie, chat.startedBy, chat.startedAt, chat.device]) AS chats
