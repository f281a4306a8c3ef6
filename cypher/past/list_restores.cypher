// Purpose: What was taken back after some moment: judgements say it, and those stand before everything else in the order of the fold.
// Parameters: $after, the place of that moment among such judgements; $before, the place behind the last of them; $limit, how many.
// Columns: restores.

MATCH (evidence:Evidence)
  USING INDEX evidence:Evidence(place)
WHERE evidence.place > $after AND evidence.place < $before AND evidence.pendingSince IS NULL
WITH evidence LIMIT $limit
RETURN collect(evidence.body) AS restores
