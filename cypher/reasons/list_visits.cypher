// Purpose: The latest visits on a cookie or a device, those that are somebody's with whose they are: of a device, those of the cookies used last on which anybody was ever known.
// Parameters: $named, a map: cookie, device, where: the one that is not null; limit, how many are looked at.
// Columns: joins (person, link, its two ends, assurance, when), looked (at how many).

CALL () {
  CALL () {
    RETURN $named.cookie AS id
    UNION ALL
    MATCH (used:Cookie)-[on:ON_DEVICE]->()
      USING INDEX on:ON_DEVICE(device, known, usedAt)
    WHERE on.device = $named.device AND on.known = true AND on.usedAt >= 0
    WITH used ORDER BY on.device DESC, on.known DESC, on.usedAt DESC LIMIT $named.limit
    RETURN used.id AS id
  }
  CALL (id) {
    MATCH (visitor:Visitor)
      USING INDEX visitor:Visitor(cookie, start)
    WHERE visitor.cookie = id AND visitor.start >= ''
    RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $named.limit
  }
  RETURN visitor LIMIT $named.limit
}
OPTIONAL MATCH (visitor)-[link:IDENTIFIED_AS]->(contact:Contact)-[:BELONGS_TO]->(person:Person)
WHERE link.state <> 'SEVERED'
RETURN collect(CASE WHEN person IS NOT NULL THEN [person.id, link.id, visitor.id, contact.id, link.assurance, link.at] END) AS joins, count(DISTINCT visitor) AS looked
