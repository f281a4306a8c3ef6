// Purpose: The latest reviews that concern people.
// Parameters: $ids, ids of people; $limit, how many of each.
// Columns: of, review.

UNWIND $ids AS id
CALL (id) {
  MATCH (owner:Person {id: id})
  MATCH (owner)<-[:BELONGS_TO]-(:Contact)<-[:CONCERNS]-(review:Review)
  RETURN DISTINCT review ORDER BY review.recordedAt DESC, review.id LIMIT $limit
}
RETURN id AS of, review {.*} AS review
