// Purpose: The latest reviews of some states.
// Parameters: $states, those; $before, the position that the page follows; $limit, how many.
// Columns: review.

UNWIND $states AS state
CALL (state) {
  MATCH (review:Review)
  WHERE review.state = state AND review.position < $before
  RETURN review ORDER BY review.state DESC, review.position DESC LIMIT $limit
}
RETURN review {.*} AS review ORDER BY review.position DESC LIMIT $limit
