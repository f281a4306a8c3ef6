// Purpose: The latest version of the policy, and when the installation began, which is when
//   version 1 was in force. Null where no other version was set, or nothing has begun.
// Parameters: $known, a version whose document need not be told again.
// Columns: policy (version, document as JSON, setAt, setBy), begunAt (milliseconds).

OPTIONAL MATCH (policy:Policy) WHERE policy.version > 1
WITH policy ORDER BY policy.version DESC LIMIT 1
OPTIONAL MATCH (installation:Installation {name: 'graphid'})
RETURN
  policy {
    .version, .setAt, .setBy,
    document: CASE policy.version WHEN $known THEN null ELSE policy.document END
  } AS policy,
  installation.begunAt AS begunAt
