// Purpose: The visits of people on a cookie or a device: found among theirs, however many others were there.
// Parameters: $named, a map: people, whose; cookie, device, where: the one that is not null.
// Columns: joins (person, link, its two ends, assurance, when).

UNWIND $named.people AS id
MATCH (person:Person {id: id})
MATCH (person)<-[:BELONGS_TO]-(contact:Contact)<-[link:IDENTIFIED_AS]-(visitor:Visitor)
WHERE link.state <> 'SEVERED'
  AND (visitor.cookie = $named.cookie
    OR ($named.device IS NOT NULL AND $named.device IN [(visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(place) | place.id]))
RETURN collect([person.id, link.id, visitor.id, contact.id, link.assurance, link.at]) AS joins
