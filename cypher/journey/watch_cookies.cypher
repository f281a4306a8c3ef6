// Purpose: Have the new lines of some cookies told of for a while. Whoever writes on a cookie holds its lock: a line is either there before this, or told of.
// Parameters: $watch, a map: cookies, ids, sorted; milliseconds.
// Columns: none.

WITH datetime.realtime().epochMillis + $watch.milliseconds AS until
UNWIND $watch.cookies AS id
MATCH (cookie:Cookie {id: id})
SET cookie.watchedUntil = until
FINISH
