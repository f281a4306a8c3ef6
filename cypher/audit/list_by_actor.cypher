// Purpose: The latest entries of the audit about what one actor did.
// Parameters: $actor, that one; $before, the position that the page follows; $limit, how many.
// Columns: entry.

MATCH (entry:AuditEntry)
WHERE entry.actor = $actor AND entry.position < $before
WITH entry ORDER BY entry.actor DESC, entry.position DESC LIMIT $limit
RETURN entry {.*} AS entry ORDER BY entry.position DESC
