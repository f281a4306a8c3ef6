// Purpose: Lock a key for the rest of this transaction, and read it.
// Parameters: $id, of the key.
// Columns: key.

MATCH (key:AccessKey {id: $id})
SET key.lock = 0
WITH key
RETURN key {.*} AS key
