// Purpose: The visitors of cookies, newest first.
// Parameters: $ids, the client's ids of cookies; $limit, how many of each.
// Columns: of, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
CALL (id) {
  MATCH (visitor:Visitor)
  WHERE visitor.cookie = id AND visitor.start >= ''
  RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $limit
}
RETURN id AS of, visitor {.*} AS visitor,
  [(visitor)-[link:IDENTIFIED_AS]->(contact:Contact) WHERE link.state <> 'SEVERED' |
    {link: link {.*}, contact: contact.id,
     person: head([(contact)-[:BELONGS_TO]->(person:Person) | person.id])}] AS owners,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.firstSeenAt]) AS seenFrom,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.lastSeenAt]) AS seenTo,
  head([(visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(device:Device) | device.id]) AS device
