// Purpose: Cookies, each with its devices, and the uses of it that are somebody's, the latest first.
// Parameters: $named, a map: ids, of cookies; most, how many uses of each are looked at; visitors, of how many; few, how many devices.
// Columns: rows.

UNWIND $named.ids AS id
MATCH (cookie:Cookie {id: id})
CALL (cookie) {
  MATCH (cookie)-[:ON_DEVICE]->(device:Device)
  WITH device LIMIT $named.few
  RETURN collect(device.id) AS devices
}
CALL (cookie) {
  // Include: parts/owned_uses
}
RETURN collect([cookie.id, cookie.firstSeenAt, cookie.lastSeenAt, devices, uses]) AS rows
