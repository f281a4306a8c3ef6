// Purpose: Reviews by id.
// Parameters: $ids, ids of reviews.
// Columns: review.

UNWIND $ids AS id
MATCH (review:Review {id: id})
RETURN review {.*} AS review
