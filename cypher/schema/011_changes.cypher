// Purpose: What changed of who is who: numbered by whoever holds the lease, read by number, and by whom it concerns; and new lines of journeys that somebody watches.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT change_sequence IF NOT EXISTS FOR (n:Change) REQUIRE n.sequence IS UNIQUE;
CREATE INDEX change_waiting IF NOT EXISTS FOR (n:Change) ON (n.waiting);
CREATE INDEX change_mention_subject IF NOT EXISTS FOR (n:ChangeMention) ON (n.subject, n.sequence);
CREATE CONSTRAINT lease_name IF NOT EXISTS FOR (n:Lease) REQUIRE n.name IS UNIQUE;
CREATE INDEX event_waiting IF NOT EXISTS FOR (n:Event) ON (n.waiting);
CREATE CONSTRAINT event_line IF NOT EXISTS FOR (n:Event) REQUIRE n.line IS UNIQUE;
