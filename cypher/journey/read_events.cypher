// Purpose: Events by message id.
// Parameters: $ids, message ids.
// Columns: events.

UNWIND $ids AS id
MATCH (event:Event {messageId: id})
WHERE event.position IS NOT NULL
RETURN collect([0, event.messageId, event.cookie, event.position, event.type, event.occurredAt, event.receivedAt, event.device, event.session, event.chat, event.detail]) AS events
