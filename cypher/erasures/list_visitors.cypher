// Purpose: The visitors that were ever identified as one of these contacts.
// Parameters: $contacts, ids.
// Columns: id, cookie.

UNWIND $contacts AS contact
MATCH (:Contact {id: contact})<-[:IDENTIFIED_AS]-(visitor:Visitor)
RETURN DISTINCT visitor.id AS id, visitor.cookie AS cookie
