// Purpose: Evidence that was given on stretches of cookies.
// Parameters: $named, a map: stretches, each with cookie, low and high (places).
// Columns: rows.

UNWIND $named.stretches AS part
MATCH (evidence:Evidence)
  USING INDEX evidence:Evidence(cookie, place)
WHERE evidence.cookie = part.cookie AND evidence.place >= part.low AND evidence.place < part.high
WITH DISTINCT evidence
RETURN collect([evidence.id, evidence.body, evidence.pendingSince]) AS rows
