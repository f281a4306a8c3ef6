// Purpose: From where identifiers were named, the latest times of each: the device, or the cookie where none is known.
// Parameters: $named, a map: keys, identifiers as the fold's memory has them; most, how many times of each are looked at.
// Columns: rows.

UNWIND $named.keys AS key
CALL (key) {
  UNWIND [true, false] AS wrote
  CALL (key, wrote) {
    MATCH (touch:Touch)
      USING INDEX touch:Touch(key, wrote, place)
    WHERE touch.key = key AND touch.wrote = wrote AND touch.place > ''
    RETURN touch.place AS place ORDER BY touch.key DESC, touch.wrote DESC, touch.place DESC LIMIT $named.most
  }
  MATCH (evidence:Evidence {place: place})
  WHERE evidence.cookie IS NOT NULL AND evidence.kind = 'identify'
  MATCH (cookie:Cookie {id: evidence.cookie})
  CALL (cookie) {
    MATCH (cookie)-[:ON_DEVICE]->(device:Device)
    RETURN device.id AS device LIMIT 1
    UNION ALL
    WITH cookie WHERE NOT EXISTS { (cookie)-[:ON_DEVICE]->(:Device) }
    RETURN cookie.id AS device
  }
  RETURN evidence.id AS evidence, device
}
RETURN collect([key, device, evidence]) AS rows
