// Purpose: The contacts of a person who is somebody now, and what they used, the latest uses. Of $named it takes what clusters/read_people does.
// Columns: people.

CALL (person) {
  MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
  WITH contact LIMIT $named.most
  RETURN collect(
    // Include: parts/contact_columns
  ) AS contacts
}
CALL (person) {
  MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
  WITH contact LIMIT $named.most
  CALL (contact) {
    MATCH (visitor:Visitor)
      USING INDEX visitor:Visitor(contact, linkedAt)
    WHERE visitor.contact = contact.id AND visitor.linkedAt >= 0
    RETURN visitor ORDER BY visitor.contact DESC, visitor.linkedAt DESC LIMIT $named.most
  }
  WITH contact, visitor ORDER BY visitor.linkedAt DESC, visitor.id LIMIT $named.most
  // By the visitor's few links: a contact can have very many.
  MATCH (visitor)-[link:IDENTIFIED_AS]->(identified:Contact)
  WHERE identified.id = contact.id AND link.state <> 'SEVERED'
  MATCH (visitor)-[:OF_COOKIE]->(cookie:Cookie)
  CALL (cookie) {
    MATCH (cookie)-[:ON_DEVICE]->(device:Device)
    WITH device LIMIT $named.few
    RETURN collect(device.id) AS devices
  }
  RETURN collect([link.id, cookie.id, link.state, link.assurance, link.at, visitor.endedAt, devices]) AS uses
}
WITH person, contacts, uses
WHERE size(contacts) > 0
RETURN collect({
  id: person.id, contacts: contacts, uses: uses,
  merged: [(person)<-[:MERGED_INTO*1..100]-(former:Person) | former.id]
}) AS people
