// Purpose: Empty lists of changes that were loaded, which a CSV file cannot say: of a range of them.
// Parameters: $range, a map: after, until, numbers of changes.
// Columns: none.

MATCH (change:Change)
WHERE change.sequence > $range.after AND change.sequence <= $range.until
SET change.previous = coalesce(change.previous, []),
    change.moved = coalesce(change.moved, []),
    change.movedFrom = coalesce(change.movedFrom, []),
    change.movedBy = coalesce(change.movedBy, []),
    change.links = coalesce(change.links, [])
FINISH
