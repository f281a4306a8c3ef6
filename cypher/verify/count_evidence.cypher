// Purpose: How much evidence there is, how much of it is pending, how many are judgements, and how often any was restamped: other numbers mean that something has changed, whatever it was.
// Parameters: none.
// Columns: pieces, pending, judgements, restamped.
// Plan: offline

CALL () {
  MATCH (evidence:Evidence)
  RETURN count(evidence) AS pieces
}
CALL () {
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(pendingSince)
  WHERE evidence.pendingSince >= 0
  RETURN count(evidence) AS pending
}
CALL () {
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(place)
  WHERE evidence.place STARTS WITH '!'
  RETURN count(evidence) AS judgements
}
OPTIONAL MATCH (installation:Installation {name: 'graphid'})
RETURN pieces, pending, judgements, coalesce(installation.restamped, 0) AS restamped
