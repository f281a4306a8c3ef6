// Purpose: The oldest events of what people own, for each one list over all their visitors. Each slice is one range of the index (cookie, position), read no further than the page.
// Parameters: $pages, each with key, slices (index, cookie, low and high: places), types (to keep only these; empty: all) and session (to keep only this one's, or null); $limit, how many of each.
// Columns: key, events.

UNWIND $pages AS page
CALL (page) {
  UNWIND page.slices AS part
  CALL (page, part) {
    MATCH (event:Event)
    WHERE event.cookie = part.cookie AND event.position >= part.low AND event.position < part.high
      AND (size(page.types) = 0 OR event.type IN page.types)
      AND (page.session IS NULL OR event.session = page.session)
    RETURN event ORDER BY event.cookie ASC, event.position ASC LIMIT $limit
  }
  WITH part, event ORDER BY event.position ASC LIMIT $limit
  RETURN collect([part.index, event.messageId, event.cookie, event.position, event.type, event.occurredAt, event.receivedAt, event.device, event.session, event.chat, event.detail]) AS events
}
RETURN page.key AS key, events
