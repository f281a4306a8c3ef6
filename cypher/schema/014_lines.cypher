// Purpose: Lines that are neither pages nor tracked events are found by their kind, and the cookies on which chats were begun by when the last one was.
// Parameters: none.
// Columns: none.

MATCH (event:Event) WHERE event.position IS NOT NULL AND NOT event.type IN ['PAGE', 'TRACK']
SET event.kind = event.type;

MATCH (chat:Chat)
MATCH (cookie:Cookie {id: chat.cookie})
WITH cookie, max(chat.startedAt) AS last
SET cookie.lastChatAt = last;

CREATE INDEX event_kind IF NOT EXISTS FOR (n:Event) ON (n.cookie, n.kind, n.position);
