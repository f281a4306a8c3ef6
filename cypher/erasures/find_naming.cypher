// Purpose: Operations, and evidence that is pending, that may name one of these: nothing that they touch leads to them.
// Parameters: $named, a map: operations, the kinds of operations; names, texts.
// Columns: rows.

CALL () {
  UNWIND $named.operations AS kind
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(operation)
  WHERE evidence.operation = kind
  RETURN evidence
  UNION
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(pendingSince)
  WHERE evidence.pendingSince >= 0
  RETURN evidence
}
WITH DISTINCT evidence
WHERE any(name IN $named.names WHERE evidence.body CONTAINS name)
RETURN collect([evidence.id, evidence.body, evidence.pendingSince]) AS rows
