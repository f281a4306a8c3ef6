// Purpose: For each departure, what came last before it on its cookie: a logout, or an identify with a user id of the same actor, whether that is evidence or only said again what was so.
// Parameters: $named, a map: departures, each a message id, a cookie, a place and its actor, also as text of the JSON (said); user, what a user id begins with.
// Columns: message, place, kind.

UNWIND $named.departures AS row
CALL (row) {
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(cookie, place)
  WHERE evidence.cookie = row.cookie AND evidence.place < row.place
    AND (evidence.kind = 'logout'
      OR (evidence.kind = 'identify' AND evidence.body CONTAINS ('"' + $named.user) AND evidence.body CONTAINS row.said))
  RETURN evidence.place AS place, evidence.kind AS kind
  ORDER BY evidence.cookie DESC, evidence.place DESC LIMIT 1
  UNION ALL
  MATCH (repetition:Repetition)
    USING INDEX repetition:Repetition(cookie, last)
  WHERE repetition.cookie = row.cookie AND repetition.last > ''
    AND repetition.actor = row.actor AND repetition.identifier STARTS WITH $named.user
  CALL (row, repetition) {
    // Mostly it was the last of all: then nothing has to be looked for.
    WITH row, repetition
    WHERE repetition.last < row.place
    RETURN repetition.last AS place
    UNION ALL
    WITH row, repetition
    WHERE repetition.last >= row.place
    MATCH (event:Event)
      USING INDEX event:Event(cookie, position)
    WHERE event.cookie = row.cookie AND event.position <= row.place + '~'
      AND event.repetition = repetition.id AND event.said < row.place
    RETURN event.said AS place ORDER BY event.cookie DESC, event.position DESC LIMIT 1
  }
  RETURN place, 'identify' AS kind
}
WITH row, place, kind ORDER BY place DESC
WITH row, collect([place, kind])[0] AS last
RETURN row.message AS message, last[0] AS place, last[1] AS kind
