// Purpose: Write entries of the audit, each with a mention of every subject, to find it by; one that is there already, as after a commit of unknown outcome, stays as it is.
// Parameters: $batch, a map: entries, as service.audit.entries makes them.
// Columns: none.

UNWIND $batch.entries AS row
CALL (row) {
  OPTIONAL MATCH (stored:AuditEntry {id: row.id})
  RETURN stored
}
WITH row, stored
WHERE stored IS NULL
CREATE (entry:AuditEntry)
SET entry = row
FOREACH (subject IN row.subjects |
  CREATE (:AuditMention {subject: subject, position: row.position})-[:OF]->(entry)
)
