// Purpose: Drop the oldest entries of the audit, with their mentions.
// Parameters: $before, the position of the first that is kept; $most, how many at once.
// Columns: entries, how many were dropped.

MATCH (entry:AuditEntry)
WHERE entry.position < $before
WITH entry ORDER BY entry.position LIMIT $most
OPTIONAL MATCH (mention:AuditMention)-[:OF]->(entry)
WITH entry, collect(mention) AS mentions
FOREACH (mention IN mentions | DETACH DELETE mention)
DETACH DELETE entry
RETURN count(*) AS entries
