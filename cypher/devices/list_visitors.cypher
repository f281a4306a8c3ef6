// Purpose: The visitors of devices' cookies that began last before a place, those of the cookies used last by some moments.
// Parameters: $named, a map: wanted, each with key, device (the client's id), moments and before (the place); most, how many of a cookie, and cookies by each moment; limit, how many of a device.
// Columns: of, visitor, owners, seenFrom, seenTo, device.

UNWIND $named.wanted AS wanted
MATCH (place:Device {id: wanted.device})
CALL (place, wanted) {
  UNWIND wanted.moments AS until
  CALL (place, until) {
    // Include: parts/cookies_of_device
    RETURN used
  }
  WITH DISTINCT wanted, used
  CALL (wanted, used) {
    MATCH (visitor:Visitor)
      USING INDEX visitor:Visitor(cookie, start)
    WHERE visitor.cookie = used.id AND visitor.start >= '' AND visitor.start < wanted.before
    RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT $named.most
  }
  RETURN visitor LIMIT $named.limit
}
RETURN wanted.key AS of,
  // Include: parts/visitor_columns
