// Purpose: A page of the operators' acts of a kind.
// Parameters: $kind, as the acts have it; $after, the id that the page follows; $size, of the page.
// Columns: id, body.

MATCH (act:Evidence)
  USING INDEX act:Evidence(operation, id)
WHERE act.operation = $kind AND act.id > $after
RETURN act.id AS id, act.body AS body
ORDER BY act.operation, act.id LIMIT $size
