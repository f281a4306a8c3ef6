// Purpose: NOT_SAME_AS links are found by id, as the other links are.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT not_same_as_id IF NOT EXISTS FOR ()-[r:NOT_SAME_AS]-() REQUIRE r.id IS UNIQUE;
