// Purpose: The newest chats of what people own: a chat is its visitor's now, or at its end.
// Parameters: $pages, each with key, slices (cookie, low and high: places owned), before (the position that the page follows), open and ended (whether to keep such); $now, a place after all that happened; $limit, how many of each.
// Columns: key, chats.

UNWIND $pages AS page
CALL (page) {
  UNWIND page.slices AS part
  CALL (page, part) {
    MATCH (chat:Chat)
    WHERE chat.cookie = part.cookie AND chat.position < part.high AND chat.position < page.before
      AND (CASE WHEN chat.endedAt IS NULL THEN page.open ELSE page.ended END)
    WITH part, chat, CASE
      WHEN chat.endedAt IS NULL THEN $now
      ELSE right('000000000000000' + toString(chat.endedAt), 16) + '5'
    END AS over
    ORDER BY chat.cookie DESC, chat.position DESC
    WHERE over >= part.low AND over < part.high
    RETURN chat LIMIT $limit
  }
  WITH chat ORDER BY chat.position DESC LIMIT $limit
  RETURN collect(chat {.*}) AS chats
}
RETURN page.key AS key, chats
