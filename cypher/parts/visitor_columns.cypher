// Purpose: A visitor, with the link that stands, whom it leads to, and where and when its cookie was seen.
// Columns: visitor, owners, seenFrom, seenTo, device.

visitor {.*} AS visitor,
  [(visitor)-[link:IDENTIFIED_AS]->(contact:Contact) WHERE link.state <> 'SEVERED' |
    {link: link {.*}, contact: contact.id,
     person: head([(contact)-[:BELONGS_TO]->(person:Person) | person.id])}] AS owners,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.firstSeenAt]) AS seenFrom,
  head([(visitor)-[:OF_COOKIE]->(cookie:Cookie) | cookie.lastSeenAt]) AS seenTo,
  head([(visitor)-[:OF_COOKIE]->(:Cookie)-[:ON_DEVICE]->(device:Device) | device.id]) AS device
