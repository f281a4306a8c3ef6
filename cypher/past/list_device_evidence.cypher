// Purpose: The evidence given on a device's cookies, the earliest first, as far as it was recorded by then; null for a device of too many cookies.
// Parameters: $id, the client's id; $after, the place that the page follows; $horizon, a map: place (only what stands before it) and recorded (by when); $most, the most cookies; $limit, how many.
// Columns: rows.

OPTIONAL MATCH (device:Device {id: $id})
WITH device, COUNT { (device)<-[:ON_DEVICE]-() } AS cookies
RETURN CASE WHEN cookies <= $most THEN COLLECT {
  MATCH (device)<-[:ON_DEVICE]-(cookie:Cookie)
  CALL (cookie) {
    MATCH (evidence:Evidence)
      USING INDEX evidence:Evidence(cookie, place)
    WHERE evidence.cookie = cookie.id AND evidence.place > $after
      AND evidence.place < $horizon.place AND evidence.recordedAt <= $horizon.recorded
      AND evidence.pendingSince IS NULL AND evidence.kind <> 'logout'
    RETURN evidence ORDER BY evidence.cookie, evidence.place LIMIT $limit
  }
  RETURN [evidence.id, evidence.place] ORDER BY evidence.place LIMIT $limit
} END AS rows
