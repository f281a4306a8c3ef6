// Purpose: Where a contact or a visitor came to be: by the last move up to a number, and by the first behind it.
// Parameters: $id, of the contact or visitor; $at, the number.
// Columns: former, next.

CALL () {
  OPTIONAL MATCH (mention:ChangeMention)
  WHERE mention.subject = $id AND mention.sequence <= $at
    AND EXISTS { MATCH (change:Change {sequence: mention.sequence}) WHERE $id IN change.moved }
  WITH mention ORDER BY mention.subject DESC, mention.sequence DESC LIMIT 1
  OPTIONAL MATCH (change:Change {sequence: mention.sequence})
  RETURN change AS before
}
CALL (before) {
  OPTIONAL MATCH (mention:ChangeMention)
  WHERE mention.subject = $id AND mention.sequence > $at
    AND EXISTS { MATCH (change:Change {sequence: mention.sequence}) WHERE $id IN change.moved }
  WITH mention ORDER BY mention.subject, mention.sequence LIMIT 1
  OPTIONAL MATCH (change:Change {sequence: mention.sequence})
  RETURN change AS behind
}
RETURN before {.person, .moved, .movedBy} AS former, behind {.moved, .movedFrom} AS next
