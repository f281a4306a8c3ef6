// Purpose: Joins and splits by their links, with all that each link tells of.
// Parameters: $ids, ids of links.
// Columns: row.

UNWIND $ids AS id
CALL (id) {
  MATCH ()-[link:IDENTIFIED_AS {id: id}]->() RETURN link
  UNION
  MATCH ()-[link:HAS_IDENTIFIER {id: id}]->() RETURN link
  UNION
  MATCH ()-[link:SAME_AS {id: id}]->() RETURN link
}
WITH link
  // Include: parts/join_kinds
WITH link, startNode(link) AS source, endNode(link) AS target, undoneAs,
  CASE WHEN link.retractedBy IS NULL OR undoneAs IS NOT NULL THEN madeAt END AS made,
  CASE WHEN undoneAs IS NOT NULL THEN link.retractedAt END AS undone,
  link.at AS at
RETURN
  // Include: parts/join_columns
