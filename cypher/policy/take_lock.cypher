// Purpose: wait for the lock on the policy and hold it until this transaction ends. Setting a
//   property takes the lock.
// Parameters: none.
// Columns: locked (how often it was taken).

MATCH (installation:Installation {name: 'graphid'})
SET installation.policyLocked = coalesce(installation.policyLocked, 0) + 1
RETURN installation.policyLocked AS locked
