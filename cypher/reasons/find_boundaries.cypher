// Purpose: Where two people met: the latest places on a browser at which one's visit ended and the other's began; and whether a device has both.
// Parameters: $named, a map: one, other, ids of people; limit, how many visits of each are looked at; most, how many places.
// Columns: boundaries (when, what the second visit began with), shared (whether a device has both).

CALL () {
  MATCH (person:Person {id: $named.one})
  MATCH (person)<-[:BELONGS_TO]-(:Contact)<-[link:IDENTIFIED_AS]-(visitor:Visitor)
  WHERE link.state <> 'SEVERED'
  WITH visitor ORDER BY coalesce(visitor.startedAt, 0) DESC, visitor.id LIMIT $named.limit
  RETURN collect(visitor) AS ours
}
CALL (ours) {
  MATCH (person:Person {id: $named.other})
  MATCH (person)<-[:BELONGS_TO]-(:Contact)<-[link:IDENTIFIED_AS]-(visitor:Visitor)
  WHERE link.state <> 'SEVERED'
  WITH visitor ORDER BY coalesce(visitor.startedAt, 0) DESC, visitor.id LIMIT $named.limit
  RETURN collect(visitor) AS theirs
}
CALL (ours, theirs) {
  UNWIND [[ours, $named.other], [theirs, $named.one]] AS turn
  UNWIND turn[0] AS visitor
  WITH visitor, turn WHERE visitor.end IS NOT NULL
  MATCH (following:Visitor)
  WHERE following.cookie = visitor.cookie AND following.start = visitor.end
  MATCH (following)-[link:IDENTIFIED_AS]->(:Contact)-[:BELONGS_TO]->(person:Person)
  WHERE link.state <> 'SEVERED' AND person.id = turn[1]
  WITH visitor, following ORDER BY visitor.endedAt DESC, visitor.id LIMIT $named.most
  RETURN collect([visitor.endedAt, following.opening]) AS boundaries
}
CALL (ours) {
  UNWIND ours AS visitor
  MATCH (visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(device:Device)
  RETURN collect(DISTINCT device.id) AS devices
}
CALL (theirs, devices) {
  UNWIND theirs AS visitor
  MATCH (visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(device:Device)
  WHERE device.id IN devices
  RETURN count(*) > 0 AS shared
}
RETURN boundaries, shared
