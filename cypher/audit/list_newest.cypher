// Purpose: The latest entries of the audit.
// Parameters: $before, the position that the page follows; $limit, how many.
// Columns: entry.

MATCH (entry:AuditEntry)
WHERE entry.position < $before
WITH entry ORDER BY entry.position DESC LIMIT $limit
RETURN entry {.*} AS entry ORDER BY entry.position DESC
