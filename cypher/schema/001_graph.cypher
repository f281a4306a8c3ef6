// Purpose: What is unique and what is found by an index, of the graph that docs/graph.md describes.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT installation_name IF NOT EXISTS FOR (n:Installation) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT cookie_id IF NOT EXISTS FOR (n:Cookie) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT device_id IF NOT EXISTS FOR (n:Device) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT session_id IF NOT EXISTS FOR (n:Session) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT visitor_id IF NOT EXISTS FOR (n:Visitor) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT event_message_id IF NOT EXISTS FOR (n:Event) REQUIRE n.messageId IS UNIQUE;
CREATE CONSTRAINT chat_id IF NOT EXISTS FOR (n:Chat) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT contact_id IF NOT EXISTS FOR (n:Contact) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT identifier_id IF NOT EXISTS FOR (n:Identifier) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT identifier_key IF NOT EXISTS FOR (n:Identifier) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT person_id IF NOT EXISTS FOR (n:Person) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT review_id IF NOT EXISTS FOR (n:Review) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT evidence_id IF NOT EXISTS FOR (n:Evidence) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT state_key IF NOT EXISTS FOR (n:State) REQUIRE n.key IS UNIQUE;

CREATE CONSTRAINT identified_as_id IF NOT EXISTS FOR ()-[r:IDENTIFIED_AS]-() REQUIRE r.id IS UNIQUE;
CREATE CONSTRAINT has_identifier_id IF NOT EXISTS FOR ()-[r:HAS_IDENTIFIER]-() REQUIRE r.id IS UNIQUE;
CREATE CONSTRAINT same_as_id IF NOT EXISTS FOR ()-[r:SAME_AS]-() REQUIRE r.id IS UNIQUE;

CREATE INDEX event_position IF NOT EXISTS FOR (n:Event) ON (n.cookie, n.position);
CREATE INDEX event_chat IF NOT EXISTS FOR (n:Event) ON (n.chat, n.position);
CREATE INDEX session_cookie IF NOT EXISTS FOR (n:Session) ON (n.cookie, n.startedAt);
CREATE INDEX visitor_cookie IF NOT EXISTS FOR (n:Visitor) ON (n.cookie, n.start);
CREATE INDEX chat_cookie IF NOT EXISTS FOR (n:Chat) ON (n.cookie, n.position);
CREATE INDEX contact_source IF NOT EXISTS FOR (n:Contact) ON (n.source, n.sourceId);
CREATE INDEX evidence_place IF NOT EXISTS FOR (n:Evidence) ON (n.place);
