// Purpose: For each departure, what came last before it on its cookie: a logout, or an identify with a user id of the same actor.
// Parameters: $named, a map: departures, each a message id, a cookie, a place and, as text of the JSON, its actor; user, what the JSON of a user id begins with.
// Columns: message, place, kind.

UNWIND $named.departures AS row
CALL (row) {
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(cookie, place)
  WHERE evidence.cookie = row.cookie AND evidence.place < row.place
    AND (evidence.kind = 'logout'
      OR (evidence.kind = 'identify' AND evidence.body CONTAINS $named.user AND evidence.body CONTAINS row.actor))
  RETURN evidence
  ORDER BY evidence.cookie DESC, evidence.place DESC LIMIT 1
}
RETURN row.message AS message, evidence.place AS place, evidence.kind AS kind
