// Purpose: Open reviews that concern two people, or a person and an identifier, the latest first.
// Parameters: $named, a map: one, other, ids of people, the second perhaps null; identifier, a key or null; limit, how many.
// Columns: reviews (ids).

MATCH (person:Person {id: $named.one})
MATCH (person)<-[:BELONGS_TO]-(:Contact)<-[:CONCERNS]-(review:Review)
WHERE review.state = 'OPEN' AND (review.identifier = $named.identifier OR EXISTS {
  MATCH (review)-[:CONCERNS]->(:Contact)-[:BELONGS_TO]->(other:Person)
  WHERE other.id = $named.other
})
WITH DISTINCT review ORDER BY review.recordedAt DESC, review.id LIMIT $named.limit
RETURN collect(review.id) AS reviews
