// Purpose: As chats/find_chats, with the chats locked for the rest of this transaction: who erases lines of one waits, and sees what is added to it. One that was deleted while this waited is not there. Where there is none of an id, whoever would begin one waits, too.
// Parameters: $ids, ids of chats, sorted.
// Columns: chats.

UNWIND $ids AS id
MATCH (chat:Chat {id: id})
SET chat.lock = 0
REMOVE chat.lock
WITH chat
// Every chat has a cookie, and of one that is deleted all reads as null. Its id may be known from the index.
WHERE chat.cookie IS NOT NULL
RETURN collect([chat.id, chat.cookie, chat.startedBy, chat.startedAt, chat.device]) AS chats
