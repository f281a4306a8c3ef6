// Purpose: By which operation somebody was erased.
// Parameters: $id, of a person or a contact.
// Columns: by.

MATCH (erased:Erased {id: $id})
RETURN erased.by AS by
