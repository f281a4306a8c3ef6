// Purpose: For each departure, the first event of the same actor on its cookie that named nobody, between two positions.
// Parameters: $named, a map: departures, each a message id, a cookie, an actor and the positions from, included, and before.
// Columns: message, at.

UNWIND $named.departures AS row
CALL (row) {
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = row.cookie AND event.position >= row.from AND event.position < row.before
    AND event.nobody AND event.actor = row.actor
  RETURN event
  ORDER BY event.cookie, event.position LIMIT 1
}
RETURN row.message AS message, event.occurredAt AS at
