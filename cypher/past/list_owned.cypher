// Purpose: The visitors that any link ever joined to contacts, with their cookies.
// Parameters: $ids, ids of contacts; $place, before which a visitor begins.
// Columns: visitors.

UNWIND $ids AS id
MATCH (:Contact {id: id})<-[:IDENTIFIED_AS]-(visitor:Visitor)
WHERE coalesce(visitor.start, visitor.unmadeStart, '') < $place
WITH DISTINCT visitor
RETURN collect([visitor.id, visitor.cookie]) AS visitors
