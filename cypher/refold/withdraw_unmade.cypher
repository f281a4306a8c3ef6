// Purpose: Withdraw what a re-fold no longer makes: visitors and people lose their place, links are severed.
// Parameters: $unmade, a map: by, the evidence that brought it about; at, when it was recorded; keys, of the fold, that have no value any more; visitors, contacts, links, ids of those that are not made again.
// Columns: none.
// Plan: offline

CALL () {
  UNWIND $unmade.keys AS key
  MATCH (state:State {key: key})
  REMOVE state.value, state.refs
}
CALL () {
  UNWIND $unmade.visitors AS id
  MATCH (visitor:Visitor {id: id})
  REMOVE visitor.start, visitor.end
}
CALL () {
  UNWIND $unmade.contacts AS id
  MATCH (:Contact {id: id})-[belongs:BELONGS_TO]->()
  DELETE belongs
}
CALL () {
  MATCH ()-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS]->()
  WHERE link.id IN $unmade.links
  SET link.state = 'SEVERED', link.retractedBy = $unmade.by, link.retractedAt = $unmade.at, link.reason = 'REFOLDED'
}
FINISH
