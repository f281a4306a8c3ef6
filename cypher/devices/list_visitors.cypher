// Purpose: The visitors of devices' cookies, those of the cookies seen last first.
// Parameters: $ids, the client's ids of devices; $limit, how many of each.
// Columns: of, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
MATCH (place:Device {id: id})
CALL (place) {
  MATCH (place)<-[:ON_DEVICE]-(used:Cookie)<-[:OF_COOKIE]-(visitor:Visitor)
  RETURN visitor ORDER BY coalesce(visitor.startedAt, used.firstSeenAt) DESC LIMIT $limit
}
RETURN place.id AS of, visitor {.*} AS visitor,
  [(visitor)-[link:IDENTIFIED_AS]->(contact:Contact) WHERE link.state <> 'SEVERED' |
    {link: link {.*}, contact: contact.id,
     person: head([(contact)-[:BELONGS_TO]->(person:Person) | person.id])}] AS owners,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.firstSeenAt]) AS seenFrom,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.lastSeenAt]) AS seenTo,
  head([(visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(device:Device) | device.id]) AS device
