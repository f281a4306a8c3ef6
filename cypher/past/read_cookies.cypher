// Purpose: Cookies as they were seen by then: when first and last, and on which device.
// Parameters: $ids, the client's ids; $horizon, a map: place (only what stands before it), at (the same as a time) and received (by when it came, or null).
// Columns: id, firstSeenAt, lastSeenAt, device, isSeen (false where nothing that is left had come by then).

UNWIND $ids AS id
MATCH (cookie:Cookie {id: id})
WHERE cookie.firstSeenAt <= $horizon.at
CALL (cookie) {
  OPTIONAL MATCH (event:Event)
  WHERE $horizon.received IS NOT NULL
    AND event.cookie = cookie.id AND event.position < $horizon.place
    AND event.receivedAt <= $horizon.received
  RETURN event.occurredAt AS first ORDER BY event.cookie, event.position LIMIT 1
}
CALL (cookie) {
  OPTIONAL MATCH (event:Event)
  WHERE event.cookie = cookie.id AND event.position < $horizon.place
    AND ($horizon.received IS NULL OR event.receivedAt <= $horizon.received)
  RETURN event.occurredAt AS last ORDER BY event.cookie DESC, event.position DESC LIMIT 1
}
RETURN cookie.id AS id, coalesce(first, cookie.firstSeenAt) AS firstSeenAt,
  coalesce(last, CASE WHEN cookie.lastSeenAt < $horizon.at THEN cookie.lastSeenAt ELSE $horizon.at END) AS lastSeenAt,
  head(COLLECT {
    MATCH (cookie)-[:ON_DEVICE]->(device:Device)
    WHERE device.firstSeenAt <= $horizon.at AND ($horizon.received IS NULL OR EXISTS {
      MATCH (event:Event)
      WHERE event.cookie = cookie.id AND event.position < $horizon.place
        AND event.device = device.id AND event.receivedAt <= $horizon.received
    })
    RETURN device.id LIMIT 1
  }) AS device,
  $horizon.received IS NULL OR first IS NOT NULL AS isSeen
