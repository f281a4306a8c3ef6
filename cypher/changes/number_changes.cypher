// Purpose: Give the next numbers to what has none, in the order in which it was written: new lines of watched journeys, then changes. Nothing, and no row, where another process holds the lease by now.
// Parameters: $lease, a map: name, holder, term, milliseconds; $most, how many of each at once.
// Columns: last, line, numbered.

MATCH (lease:Lease {name: $lease.name})
SET lease.lock = 0
WITH lease, datetime.realtime() AS now
WHERE lease.holder = $lease.holder AND lease.term = $lease.term
SET lease.until = now.epochMillis + $lease.milliseconds
WITH lease, coalesce(lease.line, 0) AS line, coalesce(lease.last, 0) AS last
// Lines first: whatever change was there before a line was written has its number when the line has.
CALL (lease) {
  MATCH (event:Event)
    USING INDEX event:Event(waiting)
  WHERE event.waiting > 0
  WITH event ORDER BY event.waiting, event.position LIMIT $most
  RETURN collect(event) AS events
}
CALL (events, line) {
  UNWIND range(1, size(events)) AS number
  WITH events[number - 1] AS event, number
  SET event.line = line + number
  REMOVE event.waiting
}
CALL (lease, events) {
  MATCH (change:Change)
    USING INDEX change:Change(waiting)
  WHERE change.waiting > 0
  WITH change ORDER BY change.waiting, change.index LIMIT $most
  RETURN collect(change) AS changes
}
CALL (changes, last) {
  UNWIND range(1, size(changes)) AS number
  WITH changes[number - 1] AS change, last + number AS sequence
  SET change.sequence = sequence
  REMOVE change.waiting
  FOREACH (subject IN change.concerns | CREATE (:ChangeMention {subject: subject, sequence: sequence}))
  REMOVE change.concerns
}
SET lease.line = line + size(events), lease.last = last + size(changes)
RETURN lease.last AS last, lease.line AS line, size(events) + size(changes) AS numbered
