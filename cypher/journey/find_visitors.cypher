// Purpose: The visitor of a cookie at a place: the one with the greatest start that is not after it.
// Parameters: $places, each with cookie and position.
// Columns: cookie, position, visitor, owners, seenFrom, seenTo, device.

UNWIND $places AS place
CALL (place) {
  MATCH (visitor:Visitor)
  WHERE visitor.cookie = place.cookie AND visitor.start <= place.position
  RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT 1
}
RETURN place.cookie AS cookie, place.position AS position,
  // Include: parts/visitor_columns
