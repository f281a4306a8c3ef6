// Purpose: The links as pieces of evidence wrote them.
// Parameters: $ids, of the evidence.
// Columns: id, links.

UNWIND $ids AS id
MATCH (evidence:Evidence {id: id})
RETURN evidence.id AS id, evidence.links AS links
