// Purpose: The log of changes from a number on.
// Parameters: $after, the last number that is left out; $limit, how many.
// Columns: changes.

MATCH (change:Change)
WHERE change.sequence > $after
WITH change ORDER BY change.sequence LIMIT $limit
RETURN collect([change.sequence, change.kind, change.person, coalesce(change.previous, []), coalesce(change.moved, []), coalesce(change.movedBy, []), coalesce(change.links, []), change.evidence, change.recordedAt]) AS changes
