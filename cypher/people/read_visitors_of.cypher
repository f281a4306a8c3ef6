// Purpose: All visitors of people, each with the link that stands and whom it leads to.
// Parameters: $ids, ids of people as they now are.
// Columns: person, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
MATCH (owner:Person {id: id})
MATCH (owner)<-[:BELONGS_TO]-(:Contact)<-[standing:IDENTIFIED_AS]-(visitor:Visitor)
WHERE standing.state <> 'SEVERED'
RETURN owner.id AS person,
  // Include: parts/visitor_columns
