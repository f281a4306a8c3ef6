// Purpose: Cookies that are not as they should be: on which something happened, with how many visitors begin there with the cookie's birth (each later one begins where another ends), which should be one; and whether their devices say how they were used. A page of them, or named ones.
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
WITH cookie, births <> 1 AND EXISTS { (cookie)<-[:ON_COOKIE]-(:Session) } AS isUnborn,
  EXISTS {
    MATCH (cookie)-[on:ON_DEVICE]->(device:Device)
    WHERE on.usedAt IS NULL OR coalesce(on.device, '') <> device.id OR on.known <> coalesce(cookie.known, false)
      OR on.known IS NULL
  } OR (cookie.known IS NULL AND EXISTS {
    MATCH (visitor:Visitor)
      USING INDEX visitor:Visitor(cookie, start)
    WHERE visitor.cookie = cookie.id AND visitor.start >= '' AND visitor.contact IS NOT NULL
  }) AS isUnmarked, births
WITH cookie, CASE WHEN isUnborn OR isUnmarked THEN [cookie.id, CASE WHEN isUnborn THEN births END, isUnmarked] END AS row
RETURN collect(row) AS rows, max(cookie.id) AS last
