// Purpose: Who may have used devices at moments: the visitors whom their cookies had then; of many cookies, those of the ones used last, and of the ones used last by then.
// Parameters: $named, a map: moments, each with index, device, at and position (its place); most, how many cookies of each are looked at; until, a time after all.
// Columns: of, visitor, owners, seenFrom, seenTo, device.

UNWIND $named.moments AS moment
MATCH (place:Device {id: moment.device})
CALL (moment, place) {
  UNWIND [moment.at, $named.until] AS until
  CALL (place, until) {
    // Include: parts/cookies_of_device
    RETURN used
  }
  WITH DISTINCT used, moment WHERE used.firstSeenAt <= moment.at
  CALL (used, moment) {
    MATCH (visitor:Visitor)
      USING INDEX visitor:Visitor(cookie, start)
    WHERE visitor.cookie = used.id AND visitor.start <= moment.position
    RETURN visitor ORDER BY visitor.cookie DESC, visitor.start DESC LIMIT 1
  }
  RETURN visitor
}
RETURN moment.index AS of,
  // Include: parts/visitor_columns
