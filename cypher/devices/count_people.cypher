// Purpose: How many people identified themselves on devices.
// Parameters: $named, a map: ids, of devices; most, how many uses of each are looked at, the latest.
// Columns: rows.

UNWIND $named.ids AS id
MATCH (device:Device {id: id})
  // Include: parts/people_of_device
RETURN collect([device.id, people]) AS rows
