// Purpose: The latest entries of the audit about one subject, of one actor or of all.
// Parameters: $subject, its id; $actor, null for all; $before, the position that the page follows; $limit, how many.
// Columns: entry.

MATCH (mention:AuditMention)
WHERE mention.subject = $subject AND mention.position < $before
MATCH (mention)-[:OF]->(entry:AuditEntry)
WHERE $actor IS NULL OR entry.actor = $actor
WITH entry, mention ORDER BY mention.subject DESC, mention.position DESC LIMIT $limit
RETURN entry {.*} AS entry ORDER BY entry.position DESC
