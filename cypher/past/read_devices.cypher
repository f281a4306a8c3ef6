// Purpose: Devices as they were seen by then: first, and last as far as the cookies tell that were seen first and last.
// Parameters: $ids, the client's ids; $horizon, a map: place (only what stands before it), at (the same as a time) and received (by when it came, or null); $limit, how many cookies of each are asked.
// Columns: id, firstSeenAt, lastSeenAt.

UNWIND $ids AS id
MATCH (device:Device {id: id})
WHERE device.firstSeenAt <= $horizon.at
CALL (device) {
  MATCH (device)<-[:ON_DEVICE]-(cookie:Cookie)
  WHERE cookie.firstSeenAt <= $horizon.at
  WITH cookie ORDER BY cookie.firstSeenAt LIMIT $limit
  CALL (cookie) {
    MATCH (event:Event)
    WHERE event.cookie = cookie.id AND event.position < $horizon.place
      AND ($horizon.received IS NULL OR event.receivedAt <= $horizon.received)
    RETURN event.occurredAt AS at ORDER BY event.cookie, event.position LIMIT 1
  }
  RETURN min(at) AS first
}
CALL (device) {
  MATCH (device)<-[:ON_DEVICE]-(cookie:Cookie)
  WHERE cookie.firstSeenAt <= $horizon.at
  WITH cookie ORDER BY cookie.lastSeenAt DESC LIMIT $limit
  CALL (cookie) {
    MATCH (event:Event)
    WHERE event.cookie = cookie.id AND event.position < $horizon.place
      AND ($horizon.received IS NULL OR event.receivedAt <= $horizon.received)
    RETURN event.occurredAt AS at ORDER BY event.cookie DESC, event.position DESC LIMIT 1
  }
  RETURN max(at) AS last
}
WITH device, coalesce(first, device.firstSeenAt) AS first, last
RETURN device.id AS id, first AS firstSeenAt, coalesce(last, first) AS lastSeenAt
