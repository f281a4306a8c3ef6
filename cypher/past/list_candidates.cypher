// Purpose: Who may have covered a place on a cookie: the visitors there that begin last before it, as things are now.
// Parameters: $places, each with cookie, position and before (a place: only who begins before it); $limit, how many of each.
// Columns: cookie, position, visitors.

UNWIND $places AS place
CALL (place) {
  MATCH (visitor:Visitor)
  WHERE visitor.cookie = place.cookie AND visitor.start <= place.position AND visitor.start < place.before
  RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $limit
}
RETURN place.cookie AS cookie, place.position AS position, collect([visitor.id, visitor.start]) AS visitors
