// Purpose: Keys by id.
// Parameters: $ids, ids of keys.
// Columns: key.

UNWIND $ids AS id
MATCH (key:AccessKey {id: id})
RETURN key {.*} AS key
