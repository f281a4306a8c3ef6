// Purpose: Evidence, to be folded anew: a page in the order of the fold, or named pieces.
// Parameters: $named, a map: ids, of the evidence; after, the place that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (evidence:Evidence {id: id})
  RETURN evidence
  UNION ALL
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(place)
  WHERE evidence.place > $named.after
  RETURN evidence ORDER BY evidence.place LIMIT $named.size
}
RETURN collect([evidence.id, evidence.place, evidence.kind, evidence.at, evidence.recordedAt, evidence.policy, evidence.cookie, evidence.operation, evidence.pendingSince, evidence.body, size(evidence.body), evidence.touched, evidence.links]) AS rows
