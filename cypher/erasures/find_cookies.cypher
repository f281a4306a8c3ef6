// Purpose: The cookies that messages came on whose events are erased.
// Parameters: $ids, message ids.
// Columns: id, cookie.

UNWIND $ids AS id
MATCH (event:Event {messageId: id})
WHERE event.position IS NULL AND event.cookie IS NOT NULL
RETURN id, event.cookie AS cookie
