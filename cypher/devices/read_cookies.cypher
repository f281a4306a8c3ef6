// Purpose: Cookies by id, each with its device.
// Parameters: $ids, the client's ids.
// Columns: id, firstSeenAt, lastSeenAt, device.

UNWIND $ids AS id
MATCH (cookie:Cookie {id: id})
RETURN cookie.id AS id, cookie.firstSeenAt AS firstSeenAt, cookie.lastSeenAt AS lastSeenAt,
  head([(cookie)-[:ON_DEVICE]->(device:Device) | device.id]) AS device
