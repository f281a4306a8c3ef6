// Purpose: Repetitions, found by what they rest on, and the events that are marked as one, by their places (docs/graph.md).
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT repetition_id IF NOT EXISTS FOR (n:Repetition) REQUIRE n.id IS UNIQUE;
CREATE INDEX repetition_cookie IF NOT EXISTS FOR (n:Repetition) ON (n.cookie, n.last);
CREATE INDEX repetition_device IF NOT EXISTS FOR (n:Repetition) ON (n.device, n.last);
CREATE INDEX repetition_identifier IF NOT EXISTS FOR (n:Repetition) ON (n.identifier, n.last);
CREATE INDEX repetition_contact IF NOT EXISTS FOR (n:Repetition) ON (n.contact, n.last);
CREATE INDEX event_repetition IF NOT EXISTS FOR (n:Event) ON (n.repetition, n.said);
