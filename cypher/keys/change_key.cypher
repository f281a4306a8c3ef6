// Purpose: Change what is kept of a key that this transaction has locked.
// Parameters: $id, of the key; $changes, properties as they are to be.
// Columns: none.

MATCH (key:AccessKey {id: $id})
SET key += $changes
