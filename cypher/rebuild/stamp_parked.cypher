// Purpose: Stamp evidence that waits for its job with a later version of the policy.
// Parameters: $id, of the evidence; $body, what it says, with the version; $version.
// Columns: none.
// Plan: offline

MATCH (evidence:Evidence {id: $id})
SET evidence.body = $body, evidence.policy = $version
FINISH
