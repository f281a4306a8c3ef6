// Purpose: Links between two that were withdrawn, the latest first: of a visit, a cookie's or device's latest, with a person; of an identifier with a person; between the contacts of two people; and of what one holds now with whom it was taken from.
// Parameters: $named, a map: one, other, ids of people, each perhaps null; visitors, ids; identifier, id of its node or null; cookie, device, where, or null; limit, how many.
// Columns: links (ids).

CALL () {
  MATCH (person:Person {id: $named.other})
  MATCH (person)<-[:BELONGS_TO]-(contact:Contact)<-[link:IDENTIFIED_AS]-(visitor:Visitor)
  WHERE link.state = 'SEVERED'
    AND (visitor.id IN $named.visitors OR visitor.cookie = $named.cookie
      OR ($named.device IS NOT NULL AND $named.device IN [(visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(place) | place.id]))
  RETURN link
  UNION
  MATCH (person:Person {id: $named.other})
  MATCH (person)<-[:BELONGS_TO]-(contact:Contact)-[link:HAS_IDENTIFIER]->(identifier:Identifier)
  WHERE link.state = 'SEVERED'
    AND (identifier.id = $named.identifier OR ($named.one IS NOT NULL AND EXISTS {
      MATCH (identifier)<-[hold:HAS_IDENTIFIER]-(:Contact)-[:BELONGS_TO]->(holder:Person)
      WHERE hold.state = 'ACTIVE' AND holder.id = $named.one
    }))
  RETURN link
  UNION
  MATCH (person:Person {id: $named.other})
  MATCH (person)<-[:BELONGS_TO]-(contact:Contact)-[link:SAME_AS]-(:Contact)-[:BELONGS_TO]->(holder:Person)
  WHERE link.state = 'SEVERED' AND holder.id = $named.one
  RETURN link
}
WITH link ORDER BY link.retractedAt DESC, link.id LIMIT $named.limit
RETURN collect(link.id) AS links
