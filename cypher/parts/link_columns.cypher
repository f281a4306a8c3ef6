// Purpose: A link between a source and a target, and the last evidence before a place that wrote it.
// Columns: id, kind, source, target, cookie, writer.

link.id AS id, type(link) AS kind, startNode(link).id AS source,
  coalesce(endNode(link).key, endNode(link).id) AS target, startNode(link).cookie AS cookie,
  head(COLLECT {
    UNWIND [link.evidence, link.endedBy, link.retractedBy] AS by
    MATCH (evidence:Evidence {id: by})
    WHERE evidence.place < $place AND evidence.links CONTAINS link.id
    RETURN evidence.id ORDER BY evidence.place DESC LIMIT 1
  }) AS writer
