// Purpose: The visitors of cookies, each with the place of the first identify on the cookie while the visitor has it.
// Parameters: $ids, of the cookies.
// Columns: identified, visitor, owners, seenFrom, seenTo, device.

UNWIND $ids AS id
MATCH (visitor:Visitor)
  USING INDEX visitor:Visitor(cookie, start)
WHERE visitor.cookie = id AND visitor.start >= ''
CALL (visitor) {
  OPTIONAL MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(cookie, place)
  WHERE evidence.cookie = visitor.cookie AND evidence.place >= visitor.start
    AND evidence.place < coalesce(visitor.end, ':') AND evidence.kind <> 'logout'
  RETURN min(evidence.place) AS identified
}
RETURN identified,
  // Include: parts/visitor_columns
