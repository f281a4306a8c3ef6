// Purpose: Note when a key was last used, unless that was noted a moment before, or later. It is
//   locked before it is read, so that of two who note at once the later one stays.
// Parameters: $id, of the key; $at, when (microseconds since 1970); $before, the time before which
//   the last note must lie.
// Columns: none.

MATCH (key:AccessKey {id: $id})
SET key.lock = 0
WITH key
WHERE key.lastUsedAt IS NULL OR key.lastUsedAt <= $before
SET key.lastUsedAt = $at
