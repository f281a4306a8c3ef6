// Purpose: Who did what to whose data, the latest first; by actor, and by whom it was about.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT audit_entry_id IF NOT EXISTS FOR (n:AuditEntry) REQUIRE n.id IS UNIQUE;
CREATE INDEX audit_entry_position IF NOT EXISTS FOR (n:AuditEntry) ON (n.position);
CREATE INDEX audit_entry_actor IF NOT EXISTS FOR (n:AuditEntry) ON (n.actor, n.position);
CREATE INDEX audit_mention_subject IF NOT EXISTS FOR (n:AuditMention) ON (n.subject, n.position);
