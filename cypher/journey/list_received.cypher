// Purpose: What was received lately of parts of cookies, in that order.
// Parameters: $slices, each with cookie, low and high (places); $since, microseconds since 1970 UTC; $limit, how many.
// Columns: ids, message ids.

UNWIND $slices AS part
CALL (part) {
  MATCH (event:Event)
  WHERE event.cookie = part.cookie AND event.position >= part.low AND event.position < part.high AND event.receivedAt >= $since
  RETURN event
}
WITH event ORDER BY event.receivedAt, event.position LIMIT $limit
RETURN collect(event.messageId) AS ids
