// Purpose: Keys that callers show, found by id and listed as they were made.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT access_key_id IF NOT EXISTS FOR (n:AccessKey) REQUIRE n.id IS UNIQUE;
CREATE INDEX access_key_position IF NOT EXISTS FOR (n:AccessKey) ON (n.position);
