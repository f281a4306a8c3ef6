// Purpose: The log of changes from a number on, as far as it concerns some ids.
// Parameters: $subjects, ids of people, contacts and visitors; $after, the last number that is left out; $until, the last that is taken; $limit, how many.
// Columns: changes.

CALL () {
  UNWIND $subjects AS subject
  CALL (subject) {
    MATCH (mention:ChangeMention)
    WHERE mention.subject = subject AND mention.sequence > $after AND mention.sequence <= $until
    RETURN mention.sequence AS sequence ORDER BY mention.subject, mention.sequence LIMIT $limit
  }
  WITH DISTINCT sequence ORDER BY sequence LIMIT $limit
  RETURN sequence
}
MATCH (change:Change {sequence: sequence})
WITH change ORDER BY change.sequence
RETURN collect([change.sequence, change.kind, change.person, coalesce(change.previous, []), coalesce(change.moved, []), coalesce(change.movedBy, []), coalesce(change.links, []), change.evidence, change.recordedAt]) AS changes
