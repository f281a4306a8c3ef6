// Purpose: The visitors of a cookie who are somebody's, the latest first, and whose.

CALL (cookie) {
  MATCH (visitor:Visitor)
    USING INDEX visitor:Visitor(cookie, start)
  WHERE visitor.cookie = cookie.id AND visitor.start >= ''
  WITH visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $named.visitors
  WITH visitor WHERE visitor.contact IS NOT NULL
  RETURN visitor
}
WITH cookie, visitor LIMIT $named.most
MATCH (visitor)-[link:IDENTIFIED_AS]->(:Contact)-[:BELONGS_TO]->(person:Person)
WHERE link.state <> 'SEVERED'
RETURN collect([link.id, cookie.id, link.state, link.assurance, link.at, visitor.endedAt, person.id]) AS uses
