// Purpose: All links that were ever at contacts, each with the last evidence before a place that wrote it.
// Parameters: $ids, ids of contacts; $place, that place.
// Columns: id, kind, source, target, cookie, writer.

UNWIND $ids AS id
MATCH (contact:Contact {id: id})
MATCH (contact)-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]-()
WITH DISTINCT link
RETURN
  // Include: parts/link_columns
