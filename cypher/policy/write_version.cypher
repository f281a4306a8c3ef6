// Purpose: keep a new version of the policy.
// Parameters: $policy (version, document as JSON, setAt in microseconds since 1970, setBy).
// Columns: none.

CREATE (policy:Policy)
SET policy = $policy
