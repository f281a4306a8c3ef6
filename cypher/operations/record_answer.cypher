// Purpose: Keep what an operation was answered, for who sends it again.
// Parameters: $id, of the evidence; $answer, JSON.
// Columns: none.

MATCH (evidence:Evidence {id: $id})
SET evidence.answer = $answer
