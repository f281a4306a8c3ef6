// Purpose: What was used and may be used once: codes and nonces, as keyed hashes.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT used_key IF NOT EXISTS FOR (n:Used) REQUIRE n.key IS UNIQUE;
