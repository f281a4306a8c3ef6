// Purpose: Repetitions, found by what they rest on (docs/graph.md). Their events are found by their cookie's.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT repetition_id IF NOT EXISTS FOR (n:Repetition) REQUIRE n.id IS UNIQUE;
CREATE INDEX repetition_cookie IF NOT EXISTS FOR (n:Repetition) ON (n.cookie, n.last);
CREATE INDEX repetition_device IF NOT EXISTS FOR (n:Repetition) ON (n.device, n.last);
CREATE INDEX repetition_identifier IF NOT EXISTS FOR (n:Repetition) ON (n.identifier, n.last);
CREATE INDEX repetition_contact IF NOT EXISTS FOR (n:Repetition) ON (n.contact, n.last);
