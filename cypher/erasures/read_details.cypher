// Purpose: What events tell, by message id.
// Parameters: $ids, message ids.
// Columns: messageId, detail.

UNWIND $ids AS id
MATCH (event:Event {messageId: id})
WHERE event.detail IS NOT NULL
RETURN event.messageId AS messageId, event.detail AS detail
