// Purpose: Delete cookies on which nothing is left and of which no evidence tells, with the visitors that they were born with; and the devices that this leaves without cookies, of which no evidence tells either. Locks: devices, sorted, behind the cookies, which are locked already.
// Parameters: $cookies, each with id and birth (the visitor that it was born with).
// Columns: cookies, devices.

CALL () {
  UNWIND $cookies AS row
  MATCH (cookie:Cookie {id: row.id})
  WHERE NOT EXISTS { (cookie)<-[:ON_COOKIE]-() }
    AND NOT EXISTS { MATCH (event:Event) WHERE event.cookie = row.id AND event.position >= '' }
    AND NOT EXISTS { MATCH (evidence:Evidence) WHERE evidence.cookie = row.id AND evidence.place >= '' }
    AND NOT EXISTS { MATCH (:State {key: 'cookie:' + row.id}) }
    AND NOT EXISTS { MATCH (:State {key: 'visitor:' + row.birth}) }
    AND NOT EXISTS { MATCH (:State {key: 'device:cookie:' + row.id}) }
    AND NOT EXISTS {
      MATCH (cookie)<-[:OF_COOKIE]-(visitor:Visitor)
      WHERE visitor.id <> row.birth OR EXISTS { (visitor)-[:IDENTIFIED_AS]->() }
    }
  OPTIONAL MATCH (cookie)-[:ON_DEVICE]->(device:Device)
  WITH cookie, collect(device) AS used
  OPTIONAL MATCH (cookie)<-[:OF_COOKIE]-(visitor:Visitor)
  WITH cookie, used, collect(visitor) AS born
  FOREACH (visitor IN born | DETACH DELETE visitor)
  DETACH DELETE cookie
  RETURN count(*) AS cookies, collect(used) AS lists
}
CALL (lists) {
  UNWIND lists AS used
  UNWIND used AS device
  WITH DISTINCT device ORDER BY device.id
  SET device.lock = 0
  REMOVE device.lock
  WITH collect(device) AS locked
  UNWIND locked AS device
  WITH device
  WHERE NOT EXISTS { (device)<-[:ON_DEVICE]-() }
    AND NOT EXISTS { MATCH (:State {key: 'device:device:' + device.id}) }
  WITH collect(device) AS unused
  FOREACH (device IN unused | DETACH DELETE device)
  RETURN size(unused) AS devices
}
RETURN cookies, devices
