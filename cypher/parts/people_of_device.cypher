// Purpose: How many people identified themselves on a device, of its latest uses.

CALL (device) {
  MATCH (cookie:Cookie)-[on:ON_DEVICE]->()
    USING INDEX on:ON_DEVICE(device, known, usedAt)
  WHERE on.device = device.id AND on.known = true AND on.usedAt >= 0
  WITH cookie ORDER BY on.device DESC, on.known DESC, on.usedAt DESC LIMIT $named.most
  CALL (cookie) {
    MATCH (visitor:Visitor)
      USING INDEX visitor:Visitor(cookie, start)
    WHERE visitor.cookie = cookie.id AND visitor.start >= ''
    WITH visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $named.most
    RETURN visitor.contact AS id
  }
  WITH id LIMIT $named.most
  WITH DISTINCT id WHERE id IS NOT NULL
  MATCH (:Contact {id: id})-[:BELONGS_TO]->(person:Person)
  RETURN count(DISTINCT person) AS people
}
