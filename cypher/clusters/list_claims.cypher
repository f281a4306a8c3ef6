// Purpose: From where identifiers were named, of each the latest first: a cookie's devices, and the latest identify there; and whether there may be more.
// Parameters: $named, a map: keys, identifiers as the fold's memory has them; touches, in how much evidence of each is looked; ofRecord, what the places end with that are passed over; most, how many identifies of each are looked at; few, how many devices of a cookie.
// Columns: rows.

UNWIND $named.keys AS key
CALL (key) {
  UNWIND [true, false] AS wrote
  CALL (key, wrote) {
    MATCH (touch:Touch)
      USING INDEX touch:Touch(key, wrote, place)
    WHERE touch.key = key AND touch.wrote = wrote AND touch.place > ''
    RETURN touch.place AS place ORDER BY touch.key DESC, touch.wrote DESC, touch.place DESC LIMIT $named.touches
  }
  WITH place ORDER BY place DESC LIMIT $named.touches
  RETURN collect(place) AS touched
}
WITH key, size(touched) AS looked, [place IN touched WHERE NOT place ENDS WITH $named.ofRecord] AS places
CALL (places) {
  UNWIND places[..$named.most] AS place
  MATCH (evidence:Evidence {place: place})
  WHERE evidence.cookie IS NOT NULL AND evidence.kind = 'identify'
  WITH evidence.cookie AS cookie, max(place) AS last, head(collect(evidence.id)) AS evidence
  CALL (cookie) {
    MATCH (:Cookie {id: cookie})-[:ON_DEVICE]->(device:Device)
    RETURN device.id AS device LIMIT $named.few
  }
  WITH evidence, device ORDER BY last DESC, device
  RETURN collect([evidence, device]) AS claims
}
RETURN collect([key, claims, looked >= $named.touches OR size(places) > $named.most]) AS rows
