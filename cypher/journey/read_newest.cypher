// Purpose: The newest events of what a person owns, one list over all their visitors. Each slice is one range of the index (cookie, position), read no further than the page.
// Parameters: $slices, each with index, cookie, low and high (places); $types, to keep only these (empty: all); $session, to keep only this one's, or null; $limit, how many.
// Columns: events.

UNWIND $slices AS part
CALL (part) {
  MATCH (event:Event)
  WHERE event.cookie = part.cookie AND event.position >= part.low AND event.position < part.high
    AND (size($types) = 0 OR event.type IN $types)
    AND ($session IS NULL OR event.session = $session)
  RETURN event ORDER BY event.cookie DESC, event.position DESC LIMIT $limit
}
WITH part.index AS slice, event ORDER BY event.position DESC LIMIT $limit
RETURN collect([slice, event.messageId, event.cookie, event.position, event.type, event.occurredAt, event.receivedAt, event.device, event.session, event.chat, event.detail]) AS events
