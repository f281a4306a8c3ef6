// Purpose: Parts of cookies in which something happened, and nothing since a time, and that no operator's act names.
// Parameters: $parts, each with cookie, low and high (places); $before, a place.
// Columns: cookie, low, high.

UNWIND $parts AS part
CALL (part) {
  MATCH (event:Event)
    USING INDEX event:Event(cookie, position)
  WHERE event.cookie = part.cookie AND event.position >= part.low AND event.position < part.high
  RETURN event.position AS newest ORDER BY event.cookie DESC, event.position DESC LIMIT 1
}
WITH part, newest
WHERE newest < $before
CALL (part) {
  MATCH (visitor:Visitor)
    USING INDEX visitor:Visitor(cookie, start)
  WHERE visitor.cookie = part.cookie AND visitor.start >= ''
  WITH part, ['cookie:' + part.cookie] + collect('visitor:' + visitor.id) AS keys
  UNWIND keys AS key
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = key AND touch.wrote IN [true, false] AND touch.place > ''
  MATCH (act:Evidence {place: touch.place})
  // An erasure gives nothing to anybody, and is never taken back.
  WHERE act.operation <> 'erase'
  RETURN count(act) AS acts
}
WITH part, acts
WHERE acts = 0
RETURN part.cookie AS cookie, part.low AS low, part.high AS high
