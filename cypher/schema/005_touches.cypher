// Purpose: The versions of the fold's keys by place, and who touched them (docs/graph.md).
// Parameters: none.
// Columns: none.

CREATE INDEX touch_key IF NOT EXISTS FOR (n:Touch) ON (n.key, n.wrote, n.place);
CREATE INDEX evidence_pending IF NOT EXISTS FOR (n:Evidence) ON (n.pendingSince);
