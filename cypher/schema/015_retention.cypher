// Purpose: For retention, find the cookies that were first seen before a time (later events do not move them in the index), and operators' acts page by page.
// Parameters: none.
// Columns: none.

CREATE INDEX cookie_first_seen IF NOT EXISTS FOR (n:Cookie) ON (n.firstSeenAt, n.id);
CREATE INDEX evidence_operation_id IF NOT EXISTS FOR (n:Evidence) ON (n.operation, n.id);
