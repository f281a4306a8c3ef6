// Purpose: The oldest events of a part of a cookie (cookie, low and high; received: by when, or null): of the types that the page wants, or of kinds, which have an index of their own.
// Columns: event.

WITH page, part
WHERE page.kinds IS NULL
MATCH (event:Event)
  USING INDEX SEEK event:Event(cookie, position)
WHERE event.cookie = part.cookie AND event.position >= part.low AND event.position < part.high
  AND (size(page.types) = 0 OR event.type IN page.types)
  AND (page.session IS NULL OR event.session = page.session)
  AND (part.received IS NULL OR event.receivedAt <= part.received)
RETURN event ORDER BY event.cookie ASC, event.position ASC LIMIT $limit
UNION ALL
UNWIND page.kinds AS kind
CALL (part, kind) {
  MATCH (event:Event)
    USING INDEX SEEK event:Event(cookie, kind, position)
  WHERE event.cookie = part.cookie AND event.kind = kind
    AND event.position >= part.low AND event.position < part.high
    AND (part.received IS NULL OR event.receivedAt <= part.received)
  RETURN event ORDER BY event.cookie ASC, event.kind ASC, event.position ASC LIMIT $limit
}
RETURN event
