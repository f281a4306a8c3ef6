// Purpose: Devices on which the fold met a second person, the latest first, with how many people identified themselves on each, of those seen since a time.
// Parameters: $named, a map: before, the place that the list follows; since, a time; size, how many are looked at; most, how many uses of each, the latest.
// Columns: rows.

MATCH (device:Device)
  USING INDEX device:Device(sharedSince)
WHERE device.sharedSince > '' AND device.sharedSince < $named.before
WITH device ORDER BY device.sharedSince DESC LIMIT $named.size
WITH device, device.lastSeenAt >= $named.since AS isSeen
CALL (device, isSeen) {
  WITH device WHERE isSeen
  // Include: parts/people_of_device
  RETURN people
  UNION ALL
  WITH device WHERE NOT isSeen
  RETURN 0 AS people
}
WITH device, people ORDER BY device.sharedSince DESC
RETURN collect([device.id, device.firstSeenAt, device.lastSeenAt, device.sharedSince, people]) AS rows
