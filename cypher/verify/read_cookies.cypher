// Purpose: Cookies on which something happened, with how many visitors begin there with the cookie's birth (each later one begins where another ends): a page of them, or named ones. Only those that do not have exactly one.
// Parameters: $named, a map: ids, of the cookies; after, the id that the page follows; size, of the page.
// Columns: rows, last.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (cookie:Cookie {id: id})
  RETURN cookie
  UNION ALL
  MATCH (cookie:Cookie)
    USING INDEX cookie:Cookie(id)
  WHERE cookie.id > $named.after
  RETURN cookie ORDER BY cookie.id LIMIT $named.size
}
CALL (cookie) {
  OPTIONAL MATCH (visitor:Visitor)
    USING INDEX visitor:Visitor(cookie, start)
  WHERE visitor.cookie = cookie.id AND visitor.start = ''
  RETURN count(visitor) AS births
}
WITH cookie, CASE WHEN births <> 1 AND EXISTS { (cookie)<-[:ON_COOKIE]-(:Session) } THEN [cookie.id, births] END AS row
RETURN collect(row) AS rows, max(cookie.id) AS last
