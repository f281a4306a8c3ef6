// Purpose: Note whom an erasure that waits for its job is about.
// Parameters: $id, of the evidence; $subject, the id that was asked for.
// Columns: none.

MATCH (evidence:Evidence {id: $id})
SET evidence.subject = $subject
