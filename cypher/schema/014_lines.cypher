// Purpose: Lines that are neither pages nor tracked events are found by their kind, the cookies on which chats were begun by when the last one was, and the visitors that operators gave to a contact, or took from it, by the contact.
// Parameters: none.
// Columns: none.

MATCH (event:Event) WHERE event.position IS NOT NULL AND NOT event.type IN ['PAGE', 'TRACK']
SET event.kind = event.type;

MATCH (chat:Chat)
MATCH (cookie:Cookie {id: chat.cookie})
WITH cookie, max(chat.startedAt) AS last
SET cookie.lastChatAt = last;

MATCH (:Visitor)-[link:IDENTIFIED_AS]->(contact:Contact)
WHERE link.rule = 'MERGED' OR link.retractedBy ENDS WITH '\u001foperation'
SET link.toldOf = contact.id;

CREATE INDEX told_of IF NOT EXISTS FOR ()-[r:IDENTIFIED_AS]-() ON (r.toldOf);
CREATE INDEX event_kind IF NOT EXISTS FOR (n:Event) ON (n.cookie, n.kind, n.position);
