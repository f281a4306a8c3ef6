// Purpose: What ids of contacts mean now: the contact itself while it is made, else the one that holds the identifier that it was named for, else where its evidence ended up: the contact that the visitor there is identified as, or that visitor.
// Parameters: $ids, ids of contacts.
// Columns: contact, means (id of a contact, or of a visitor whom nobody owns).

UNWIND $ids AS id
MATCH (contact:Contact {id: id})
WITH contact,
  CASE WHEN EXISTS { (contact)-[:BELONGS_TO]->(:Person) } THEN contact.id END AS itself,
  head(COLLECT {
    MATCH (identifier:Identifier {key: contact.namedFor})
    MATCH (identifier)<-[hold:HAS_IDENTIFIER]-(holder:Contact)
    WHERE hold.state = 'ACTIVE'
    RETURN holder.id ORDER BY holder.made, holder.id LIMIT 1
  }) AS holder,
  head(COLLECT {
    MATCH (evidence:Evidence {id: contact.evidence})
    MATCH (visitor:Visitor)
    WHERE visitor.cookie = evidence.cookie AND visitor.start <= evidence.place
    RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT 1
  }) AS visitor
WITH contact, itself, holder, visitor,
  head([(visitor)-[link:IDENTIFIED_AS]->(owned:Contact) WHERE link.state <> 'SEVERED' | owned.id]) AS owner
RETURN contact.id AS contact, coalesce(itself, holder, owner, visitor.id) AS means
