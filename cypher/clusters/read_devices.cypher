// Purpose: Devices, each with how many cookies on it are nobody's, and the uses of it that are somebody's, those of the cookies used last first; and, read ahead, some of the people who used them, as clusters/read_people has them.
// Parameters: $named, a map: ids, of devices; most, how many uses and cookies of each are looked at; visitors, how many of one cookie; few, how many devices of a cookie; ahead, of how many people, without those who are met (ids).
// Columns: rows, people.

UNWIND $named.ids AS id
MATCH (device:Device {id: id})
CALL (device) {
  MATCH ()-[on:ON_DEVICE]->()
    USING INDEX on:ON_DEVICE(device, known, usedAt)
  WHERE on.device = device.id AND on.known = false AND on.usedAt >= 0
  WITH on LIMIT $named.most
  RETURN count(on) AS anonymous
}
CALL (device) {
  MATCH (cookie:Cookie)-[on:ON_DEVICE]->()
    USING INDEX on:ON_DEVICE(device, known, usedAt)
  WHERE on.device = device.id AND on.known = true AND on.usedAt >= 0
  WITH cookie ORDER BY on.device DESC, on.known DESC, on.usedAt DESC LIMIT $named.most
  // Include: parts/owned_uses
}
WITH collect([device.id, device.firstSeenAt, device.lastSeenAt, anonymous, uses]) AS rows
CALL (rows) {
  UNWIND rows AS row
  UNWIND row[4] AS use
  WITH DISTINCT use[6] AS id
  WHERE NOT id IN $named.met
  WITH id LIMIT $named.ahead
  MATCH (person:Person {id: id})
  // Include: parts/person_around
}
RETURN rows, people
