// Purpose: The reviews that were ever filed about contacts.
// Parameters: $ids, ids of contacts.
// Columns: reviews.

UNWIND $ids AS id
MATCH (:Contact {id: id})<-[:CONCERNS]-(review:Review)
RETURN collect(DISTINCT review.id) AS reviews
