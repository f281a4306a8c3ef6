// Purpose: The latest visits on a cookie or a device that are somebody's.
// Parameters: $named, a map: cookie, device, where: the one that is not null; limit, how many.
// Columns: joins (person, link, its two ends, assurance, when).

CALL () {
  MATCH (visitor:Visitor)
  WHERE visitor.cookie = $named.cookie AND visitor.start >= ''
  RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $named.limit
  UNION ALL
  MATCH (device:Device {id: $named.device})
  MATCH (device)<-[:ON_DEVICE]-(cookie:Cookie)<-[:OF_COOKIE]-(visitor:Visitor)
  WHERE visitor.start IS NOT NULL
  RETURN visitor ORDER BY coalesce(visitor.startedAt, cookie.firstSeenAt) DESC LIMIT $named.limit
}
MATCH (visitor)-[link:IDENTIFIED_AS]->(contact:Contact)-[:BELONGS_TO]->(person:Person)
WHERE link.state <> 'SEVERED'
RETURN collect([person.id, link.id, visitor.id, contact.id, link.assurance, link.at]) AS joins
