// Purpose: The newest chats of what people owned, as they were by then: a chat was its visitor's at its end, or then.
// Parameters: $pages, each with key, slices (cookie, low and high: places owned), before (the position that the page follows), open and ended (whether to keep such); $horizon, a map: place (only what stands before it) and received (by when it came, or null); $now, a place after all that had happened; $limit, how many of each.
// Columns: key, chats.

UNWIND $pages AS page
CALL (page) {
  UNWIND page.slices AS part
  CALL (page, part) {
    MATCH (chat:Chat)
    WHERE chat.cookie = part.cookie AND chat.position < part.high AND chat.position < page.before
    CALL (chat) {
      // Include: parts/chat_then
    }
    WITH part, page, chat, endedAt, badge, CASE
      WHEN endedAt IS NULL THEN $now
      ELSE right('000000000000000' + toString(endedAt), 16) + '5'
    END AS over
    ORDER BY chat.cookie DESC, chat.position DESC
    WHERE over >= part.low AND over < part.high
      AND (CASE WHEN endedAt IS NULL THEN page.open ELSE page.ended END)
    RETURN chat, endedAt, badge LIMIT $limit
  }
  WITH chat, endedAt, badge ORDER BY chat.position DESC LIMIT $limit
  RETURN collect([chat {.*}, endedAt, badge]) AS chats
}
RETURN page.key AS key, chats
