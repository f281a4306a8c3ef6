// Purpose: The joins and splits of a person (page.person), or of an anonymous one (page.visitor), at times from least to most: the first $limit in the order of reading, and those at the very time of the last of them.
// Columns: joins.

CALL (page, least, most) {
  WITH page, least, most
  WHERE size(page.joins) > 0
  CALL (page) {
    MATCH (:Person {id: page.person})<-[:BELONGS_TO]-(contact:Contact)
    CALL (contact) {
      MATCH (contact)-[link:SAME_AS]-(:Contact)
      WHERE link.retractedBy IS NULL OR link.retractedBy ENDS WITH $operation
      RETURN link
      UNION ALL
      MATCH ()-[link:IDENTIFIED_AS]->()
        USING INDEX SEEK link:IDENTIFIED_AS(toldOf)
      WHERE link.toldOf = contact.id AND (link.retractedBy IS NULL OR link.retractedBy ENDS WITH $operation)
      RETURN link
      UNION ALL
      MATCH (contact)-[link:HAS_IDENTIFIER]->(:Identifier)
      WHERE link.retractedBy ENDS WITH $operation
      RETURN link
    }
    RETURN link
    UNION ALL
    MATCH (visitor:Visitor {id: page.visitor})
      USING INDEX SEEK visitor:Visitor(id)
    WITH visitor
    MATCH (visitor)-[link:IDENTIFIED_AS]->(:Contact)
    WHERE link.retractedBy ENDS WITH $operation
    RETURN link
  }
  WITH DISTINCT page, least, most, link
  // Include: parts/join_kinds
  WITH page, link, undoneAs,
    CASE WHEN 'MERGE' IN page.joins AND madeAt >= least AND madeAt <= most THEN madeAt END AS made,
    CASE WHEN undoneAs IN page.joins AND link.retractedAt >= least AND link.retractedAt <= most THEN link.retractedAt END AS undone
  WHERE made IS NOT NULL OR undone IS NOT NULL
  WITH page, link, startNode(link) AS source, endNode(link) AS target, made, undone, undoneAs,
    CASE WHEN page.newest THEN coalesce(undone, made) ELSE coalesce(made, undone) END AS at
  WITH page, at,
  // Include: parts/join_columns
  ORDER BY CASE WHEN page.newest THEN -at ELSE at END
  RETURN collect(row) AS found
}
WITH page, found, CASE WHEN page.newest THEN most ELSE least END AS near
WITH page, found, near, [row IN found WHERE row.at <> near | row.at][$limit - 1] AS edge
RETURN [row IN found WHERE edge IS NULL OR row.at = near OR (CASE WHEN page.newest THEN row.at >= edge ELSE row.at <= edge END)] AS joins
