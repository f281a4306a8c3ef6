// Purpose: Devices by id.
// Parameters: $ids, the client's ids.
// Columns: id, firstSeenAt, lastSeenAt.

UNWIND $ids AS id
MATCH (device:Device {id: id})
RETURN device.id AS id, device.firstSeenAt AS firstSeenAt, device.lastSeenAt AS lastSeenAt
