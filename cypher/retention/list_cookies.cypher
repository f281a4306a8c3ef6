// Purpose: A page of the cookies that were first seen before a time, the oldest first; isQuiet: nothing happened since then, or somebody was identified there, so that one of several visitors may be quiet.
// Parameters: $after, the cookie that the page follows, a map: at (when it was first seen), id; $before, microseconds since 1970 UTC; $size, of the page.
// Columns: id, at, isQuiet.

MATCH (cookie:Cookie)
  USING INDEX cookie:Cookie(firstSeenAt, id)
WHERE cookie.firstSeenAt >= $after.at AND cookie.firstSeenAt < $before AND cookie.id >= ''
  AND (cookie.firstSeenAt > $after.at OR cookie.id > $after.id)
RETURN cookie.id AS id, cookie.firstSeenAt AS at, cookie.lastSeenAt < $before OR cookie.known IS NOT NULL AS isQuiet
ORDER BY cookie.firstSeenAt, cookie.id LIMIT $size
