// Purpose: One version of the policy.
// Parameters: $version, which one; not the first, which is nowhere but in the code.
// Columns: policy (version, document as JSON, setAt, setBy).

MATCH (policy:Policy {version: $version})
RETURN policy {.version, .document, .setAt, .setBy} AS policy
