// Purpose: Take the numbers from lines that everybody has read long ago.
// Parameters: $before, the first number that is kept; $most, how many at once.
// Columns: dropped.

MATCH (event:Event)
WHERE event.line < $before
WITH event ORDER BY event.line LIMIT $most
REMOVE event.line
RETURN count(event) AS dropped
