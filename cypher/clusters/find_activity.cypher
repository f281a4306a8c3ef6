// Purpose: When something last happened on cookies before moments.
// Parameters: $named, a map: moments, each with index, cookie and position (a place).
// Columns: rows.

UNWIND $named.moments AS moment
CALL (moment) {
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = moment.cookie AND event.position < moment.position
  RETURN event.occurredAt AS at ORDER BY event.cookie DESC, event.position DESC LIMIT 1
}
RETURN collect([moment.index, at]) AS rows
