// Purpose: What a link tells of in a journey: when it joined somebody (madeAt), and what took it back (undoneAs: UNMERGE, SEVER, or null), where an operator did. What later knowledge unmade never was.
// Columns: link, madeAt, undoneAs.

CALL (link) {
  OPTIONAL MATCH (act:Evidence {id: link.retractedBy})
  RETURN act.kind AS act, act.body CONTAINS '"type":"identifier"' AS isOfIdentifier
}
WITH *, type(link) AS kind
WITH *,
  CASE WHEN kind = 'SAME_AS' OR (kind = 'IDENTIFIED_AS' AND link.rule = 'MERGED') THEN link.at END AS madeAt,
  CASE
    WHEN kind = 'HAS_IDENTIFIER' AND (act = 'block' OR (act = 'keep_apart' AND isOfIdentifier)) THEN 'SEVER'
    WHEN kind = 'IDENTIFIED_AS' AND act = 'sever' THEN 'SEVER'
    WHEN (kind = 'SAME_AS' OR (kind = 'IDENTIFIED_AS' AND link.rule = 'MERGED')) AND act IN ['keep_apart', 'restore', 'block', 'sever'] THEN 'UNMERGE'
  END AS undoneAs
