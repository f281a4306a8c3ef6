// Purpose: All visitors of people, each with the link that stands and whom it leads to.
// Parameters: $ids, ids of people as they now are.
// Columns: person, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
MATCH (owner:Person {id: id})
MATCH (owner)<-[:BELONGS_TO]-(:Contact)<-[standing:IDENTIFIED_AS]-(visitor:Visitor)
WHERE standing.state <> 'SEVERED'
RETURN owner.id AS person, visitor {.*} AS visitor,
  [(visitor)-[link:IDENTIFIED_AS]->(contact:Contact) WHERE link.state <> 'SEVERED' |
    {link: link {.*}, contact: contact.id,
     person: head([(contact)-[:BELONGS_TO]->(person:Person) | person.id])}] AS owners,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.firstSeenAt]) AS seenFrom,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.lastSeenAt]) AS seenTo,
  head([(visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(device:Device) | device.id]) AS device
