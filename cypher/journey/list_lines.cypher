// Purpose: Lines of watched cookies from a number on; then, and not before, the last number of a change: what was so when the lines were written is told of up to there.
// Parameters: $after, the last number that is left out; $limit, how many; $name, of the lease.
// Columns: lines, last, line.

CALL () {
  MATCH (event:Event)
  WHERE event.line > $after
  WITH event ORDER BY event.line LIMIT $limit
  RETURN collect([event.line, event.messageId]) AS lines
}
OPTIONAL MATCH (lease:Lease {name: $name})
RETURN lines, coalesce(lease.last, 0) AS last, coalesce(lease.line, 0) AS line
