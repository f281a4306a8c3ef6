// Purpose: All links that ever went out from visitors, each with the last evidence before a place that wrote it.
// Parameters: $ids, ids of visitors; $place, that place.
// Columns: id, kind, source, target, cookie, writer.

UNWIND $ids AS id
MATCH (visitor:Visitor {id: id})
MATCH (visitor)-[link:IDENTIFIED_AS]->()
RETURN
  // Include: parts/link_columns
