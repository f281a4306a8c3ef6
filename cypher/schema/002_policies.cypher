// Purpose: Versions of the policy, each once.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT policy_version IF NOT EXISTS FOR (n:Policy) REQUIRE n.version IS UNIQUE;
