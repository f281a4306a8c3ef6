// Purpose: A page of the evidence that is stamped with a lower version of the policy, in the order of the fold: what is stamped with a later one stays so.
// Parameters: $named, a map: version; after, the place that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(place)
  WHERE evidence.place > $named.after AND evidence.policy < $named.version
  RETURN evidence ORDER BY evidence.place LIMIT $named.size
}
RETURN collect([evidence.place, evidence.id, evidence.pendingSince, evidence.touched]) AS rows
