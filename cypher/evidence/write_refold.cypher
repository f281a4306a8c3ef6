// Purpose: Write what evidence that was stepped again no longer does, before what it does now is written: touches, visitors, contacts, people and reviews that it made. Nothing that was told of is deleted.
// Parameters: $refold, a map: evidence, what was stepped again, by place, with what is new of it; untouched, touches that are so no more; visitors, contacts, people, reviews, ids of those that are made no more; rejected, reviews that a judgement rejects, and by which operation; undecided, reviews that none rejects any more.
// Columns: none.

CALL () {
  UNWIND $refold.evidence AS row
  MATCH (evidence:Evidence {place: row.place})
  SET evidence += row.properties
}
CALL () {
  UNWIND $refold.evident AS id
  MATCH (event:Event {messageId: id})
  REMOVE event.repetition, event.said
}
CALL () {
  UNWIND $refold.rests AS row
  MATCH (state:State {key: row.key})
  SET state.repeated = CASE WHEN state.repeated > row.place THEN state.repeated ELSE row.place END
}
CALL () {
  UNWIND $refold.untouched AS row
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = row.key AND touch.wrote IN [true, false] AND touch.place = row.place
  DELETE touch
}
CALL () {
  UNWIND $refold.untouched AS row
  WITH DISTINCT row.key AS key
  MATCH (state:State {key: key})
  CALL (key) {
    OPTIONAL MATCH (touch:Touch)
      USING INDEX touch:Touch(key, wrote, place)
    WHERE touch.key = key AND touch.wrote = true AND touch.place > ''
    RETURN touch.place AS wrote ORDER BY touch.key DESC, touch.wrote DESC, touch.place DESC LIMIT 1
  }
  CALL (key) {
    OPTIONAL MATCH (touch:Touch)
      USING INDEX touch:Touch(key, wrote, place)
    WHERE touch.key = key AND touch.wrote = false AND touch.place > ''
    RETURN touch.place AS read ORDER BY touch.key DESC, touch.wrote DESC, touch.place DESC LIMIT 1
  }
  // The last that is left; what is touched now comes with write_changes.
  SET state.place = CASE WHEN read IS NULL OR wrote > read THEN wrote ELSE read END
}
CALL () {
  UNWIND $refold.visitors AS id
  MATCH (visitor:Visitor {id: id})
  // A cookie has the visitor that it was born with whether or not any evidence says so.
  WITH visitor, visitor.opening = 'birth' AS isBirth
  SET visitor.unmadeStart = CASE WHEN isBirth THEN null ELSE visitor.start END,
      visitor.start = CASE WHEN isBirth THEN '' END
  REMOVE visitor.end, visitor.endedAt, visitor.endedBy, visitor.identified, visitor.verified, visitor.attended,
    visitor.contact, visitor.linkedAt
}
CALL () {
  UNWIND $refold.contacts AS id
  MATCH (contact:Contact {id: id})
  OPTIONAL MATCH (contact)-[belongs:BELONGS_TO]->()
  DELETE belongs
}
CALL () {
  UNWIND $refold.people AS id
  MATCH (person:Person {id: id})
  OPTIONAL MATCH (person)-[alias:MERGED_INTO]->()
  DELETE alias
}
CALL () {
  UNWIND $refold.reviews AS id
  MATCH (review:Review {id: id})
  SET review.state = CASE WHEN review.state = 'OPEN' THEN 'OBSOLETE' ELSE review.state END
}
CALL () {
  UNWIND $refold.rejected AS row
  MATCH (review:Review {id: row.id})
  SET review.state = 'REJECTED', review.decidedBy = row.by
}
CALL () {
  UNWIND $refold.undecided AS id
  MATCH (review:Review {id: id})
  SET review.state = 'OBSOLETE', review.decidedBy = null
}
FINISH
