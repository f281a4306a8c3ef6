// Purpose: Withdraw what a re-fold no longer makes: visitors and people lose their place, links are severed.
// Parameters: $by, the evidence that brought it about; $at, when it was recorded; $keys, keys of the fold that have no value any more; $visitors, $contacts, ids of those; $links, ids of links that are made again.
// Columns: none.
// Plan: offline

CALL () {
  UNWIND $keys AS key
  MATCH (state:State {key: key})
  REMOVE state.value, state.refs
}
CALL () {
  UNWIND $visitors AS id
  MATCH (visitor:Visitor {id: id})
  REMOVE visitor.start, visitor.end
}
CALL () {
  UNWIND $contacts AS id
  MATCH (:Contact {id: id})-[belongs:BELONGS_TO]->()
  DELETE belongs
}
CALL () {
  MATCH ()-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS]->()
  WHERE link.state <> 'SEVERED' AND NOT link.id IN $links
  SET link.state = 'SEVERED', link.retractedBy = $by, link.retractedAt = $at, link.reason = 'REFOLDED'
}
FINISH
