// Purpose: The newest chats of what a person owns: a chat is its visitor's now, or at its end.
// Parameters: $slices, each with cookie, low and high (places owned); $before, the position that the page follows; $now, a place after all that happened; $openOnly and $endedOnly, to keep only such; $limit, how many.
// Columns: chat.

UNWIND $slices AS slice
CALL (slice) {
  MATCH (chat:Chat)
  WHERE chat.cookie = slice.cookie AND chat.position < slice.high AND chat.position < $before
    AND (NOT $openOnly OR chat.endedAt IS NULL) AND (NOT $endedOnly OR chat.endedAt IS NOT NULL)
  WITH slice, chat, CASE
    WHEN chat.endedAt IS NULL THEN $now
    ELSE right('000000000000000' + toString(chat.endedAt), 16) + '5'
  END AS over
  ORDER BY chat.cookie DESC, chat.position DESC
  WHERE over >= slice.low AND over < slice.high
  RETURN chat LIMIT $limit
}
WITH chat ORDER BY chat.position DESC LIMIT $limit
RETURN chat {.*} AS chat
