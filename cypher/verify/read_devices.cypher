// Purpose: Devices, with since when they count as shared: a page of them, or named ones.
// Parameters: $named, a map: ids, of the devices; after, the id that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (device:Device {id: id})
  RETURN device
  UNION ALL
  MATCH (device:Device)
    USING INDEX device:Device(id)
  WHERE device.id > $named.after
  RETURN device ORDER BY device.id LIMIT $named.size
}
RETURN collect([device.id, device.sharedSince]) AS rows
