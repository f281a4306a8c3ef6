// Purpose: Lock cookies and their visitors for the rest of this transaction: who appends to them, or says whose they are, waits.
// Parameters: $ids, of the cookies, sorted.
// Columns: none.

CALL () {
  UNWIND $ids AS id
  MATCH (cookie:Cookie {id: id})
  SET cookie.lock = 0
  REMOVE cookie.lock
  RETURN collect(cookie) AS cookies
}
UNWIND cookies AS cookie
MATCH (cookie)<-[:OF_COOKIE]-(visitor:Visitor)
WITH visitor ORDER BY visitor.id
SET visitor.lock = 0
REMOVE visitor.lock
FINISH
