// Purpose: Find who used a device, a cookie or was identified as a contact, the latest first, however many did; and devices by when two people had been identified on them.
// Parameters: none.
// Columns: none.

MATCH (visitor:Visitor)-[link:IDENTIFIED_AS]->(contact:Contact) WHERE link.state <> 'SEVERED'
SET visitor.contact = contact.id, visitor.linkedAt = link.at;

MATCH (cookie:Cookie)<-[:OF_COOKIE]-(visitor:Visitor) WHERE visitor.contact IS NOT NULL
SET cookie.known = true;

MATCH (cookie:Cookie)-[on:ON_DEVICE]->(device:Device)
SET on.device = device.id, on.known = coalesce(cookie.known, false), on.usedAt = cookie.lastSeenAt;

MATCH (state:State)
WHERE state.key STARTS WITH 'device:device:' AND state.value CONTAINS '"shared":true'
MATCH (device:Device {id: substring(state.key, size('device:device:'))})
SET device.sharedSince = state.wrote;

CREATE INDEX visitor_contact IF NOT EXISTS FOR (n:Visitor) ON (n.contact, n.linkedAt);
CREATE INDEX on_device_used IF NOT EXISTS FOR ()-[r:ON_DEVICE]-() ON (r.device, r.known, r.usedAt);
CREATE INDEX device_shared IF NOT EXISTS FOR (n:Device) ON (n.sharedSince);
