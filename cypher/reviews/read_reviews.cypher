// Purpose: Reviews by id, with the people whom they concern now.
// Parameters: $ids, ids of reviews.
// Columns: review.

UNWIND $ids AS id
MATCH (review:Review {id: id})
RETURN review {.*, people: COLLECT {
  UNWIND review.contacts AS contact
  MATCH (:Contact {id: contact})-[:BELONGS_TO]->(person:Person)
  RETURN DISTINCT person.id
}} AS review
