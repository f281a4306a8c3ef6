// Purpose: List reviews by state, the latest first: `position` sorts as they were filed.
// Parameters: none.
// Columns: none.

MATCH (review:Review) WHERE review.position IS NULL
SET review.position = right('000000000000000' + toString(review.recordedAt), 16) + review.id;

CREATE INDEX review_state IF NOT EXISTS FOR (n:Review) ON (n.state, n.position);
