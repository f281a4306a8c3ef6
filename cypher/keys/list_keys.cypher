// Purpose: The latest keys that were made before a position.
// Parameters: $before, the position that the page follows; $limit, how many.
// Columns: key.

MATCH (key:AccessKey) WHERE key.position < $before
RETURN key {.*} AS key ORDER BY key.position DESC LIMIT $limit
