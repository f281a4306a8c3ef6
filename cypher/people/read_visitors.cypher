// Purpose: Visitors by id, each with the link that stands and whom it leads to.
// Parameters: $ids, ids of visitors.
// Columns: visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
MATCH (visitor:Visitor {id: id})
RETURN visitor {.*} AS visitor,
  [(visitor)-[link:IDENTIFIED_AS]->(contact:Contact) WHERE link.state <> 'SEVERED' |
    {link: link {.*}, contact: contact.id,
     person: head([(contact)-[:BELONGS_TO]->(person:Person) | person.id])}] AS owners,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.firstSeenAt]) AS seenFrom,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.lastSeenAt]) AS seenTo,
  head([(visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(device:Device) | device.id]) AS device
