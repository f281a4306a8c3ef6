// Purpose: Find what is to be erased: evidence by where it was given, operations, what is named for an identifier; and remember what was.
// Parameters: none.
// Columns: none.

MATCH (evidence:Evidence) WHERE evidence.kind IN ['merge', 'sever', 'promote', 'keep_apart', 'block', 'restore', 'erase']
SET evidence.operation = evidence.kind;

CREATE INDEX evidence_cookie IF NOT EXISTS FOR (n:Evidence) ON (n.cookie, n.place);
CREATE INDEX evidence_operation IF NOT EXISTS FOR (n:Evidence) ON (n.operation);
CREATE INDEX contact_named_for IF NOT EXISTS FOR (n:Contact) ON (n.namedFor);
CREATE INDEX review_identifier IF NOT EXISTS FOR (n:Review) ON (n.identifier);
CREATE CONSTRAINT erased_id IF NOT EXISTS FOR (n:Erased) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT erasure_id IF NOT EXISTS FOR (n:Erasure) REQUIRE n.id IS UNIQUE;
CREATE INDEX erasure_pending IF NOT EXISTS FOR (n:Erasure) ON (n.pendingSince);
