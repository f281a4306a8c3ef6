// Purpose: Links by id, each with the last evidence before a place that wrote it.
// Parameters: $ids, ids of links; $place, that place.
// Columns: id, kind, source, target, cookie, writer.

UNWIND $ids AS wanted
CALL (wanted) {
  MATCH ()-[link:IDENTIFIED_AS {id: wanted}]->() RETURN link
  UNION
  MATCH ()-[link:HAS_IDENTIFIER {id: wanted}]->() RETURN link
  UNION
  MATCH ()-[link:SAME_AS {id: wanted}]->() RETURN link
  UNION
  MATCH ()-[link:NOT_SAME_AS {id: wanted}]->() RETURN link
}
RETURN
  // Include: parts/link_columns
