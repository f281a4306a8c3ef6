// Purpose: How many events lie in some ranges of cookies, counted no further than a limit.
// Parameters: $ranges, each with cookie, low and high (places); $most, where to stop.
// Columns: events.

UNWIND $ranges AS part
CALL (part) {
  MATCH (event:Event)
  WHERE event.cookie = part.cookie AND event.position >= part.low AND event.position < part.high
  RETURN event LIMIT $most
}
WITH event LIMIT $most
RETURN count(event) AS events
