// Purpose: People by any id that leads straight to one: their own, one that was merged into theirs, a contact's, or a visitor's that has an owner.
// Parameters: $ids, the ids.
// Columns: asked, person.

UNWIND $ids AS asked
CALL (asked) {
  MATCH (:Person {id: asked})-[:MERGED_INTO*0..100]->(person:Person)
  WHERE NOT EXISTS { (person)-[:MERGED_INTO]->(:Person) }
    AND EXISTS { (person)<-[:BELONGS_TO]-(:Contact) }
  RETURN person
  UNION
  MATCH (:Contact {id: asked})-[:BELONGS_TO]->(person:Person)
  RETURN person
  UNION
  MATCH (visitor:Visitor {id: asked})
  MATCH (visitor)-[link:IDENTIFIED_AS]->(:Contact)-[:BELONGS_TO]->(person:Person)
  WHERE link.state <> 'SEVERED'
  RETURN person
}
RETURN asked,
  // Include: parts/person_columns
