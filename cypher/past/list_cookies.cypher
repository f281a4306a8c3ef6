// Purpose: The cookies of devices that were there by then, those seen first the latest first.
// Parameters: $ids, the client's ids of devices; $at, when; $limit, how many of each.
// Columns: of, cookies.

UNWIND $ids AS id
MATCH (device:Device {id: id})
CALL (device) {
  MATCH (device)<-[:ON_DEVICE]-(cookie:Cookie)
  WHERE cookie.firstSeenAt <= $at
  RETURN cookie ORDER BY cookie.firstSeenAt DESC LIMIT $limit
}
RETURN device.id AS of, collect(cookie.id) AS cookies
