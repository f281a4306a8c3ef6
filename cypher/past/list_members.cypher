// Purpose: The contacts of whoever contacts belong to now: the names by which one comes from one to another, at any place of the fold.
// Parameters: $ids, ids of contacts.
// Columns: members.

UNWIND $ids AS id
MATCH (:Contact {id: id})-[:BELONGS_TO]->(:Person)<-[:BELONGS_TO]-(member:Contact)
RETURN collect(DISTINCT member.id) AS members
