// Purpose: A page of what evidence there is, in the order of the fold: enough to see what is new.
// Parameters: $named, a map: after, the place that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(place)
  WHERE evidence.place > $named.after
  RETURN evidence ORDER BY evidence.place LIMIT $named.size
}
RETURN collect([evidence.id, evidence.place, evidence.policy, evidence.pendingSince, size(evidence.body)]) AS rows
