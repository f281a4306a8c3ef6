// Purpose: Make what differs what the evidence says, as far as that is to take something back or to say it exactly; evidence/write_changes then says the rest. Nothing that was told of is deleted, except relationships that are where they cannot be.
// Parameters: $repair, a map: evidence, by id, with what is stored of it; marks, of events, by message id; touches, as they should be; untouched, keys and places of touches that are written anew or should not be; states, by key, exactly; unmade, ids of visitors that the evidence does not make; used, ids of cookies whose devices do not say how they were used; visitors, contacts, people, reviews, ids of what is said anew, or should be nobody's; identifiers, exactly; obsolete, ids of reviews that the evidence does not file; stray, links that are where they should not be, and severed, links that should not be, each by source, type and id; links, by id with source and target, that are about to be written.
// Columns: none.
// Plan: offline

CALL () {
  UNWIND $repair.evidence AS row
  MATCH (evidence:Evidence {id: row.id})
  SET evidence += row.properties
}
CALL () {
  UNWIND $repair.marks AS row
  MATCH (event:Event {messageId: row.id})
  SET event += row.properties
}
CALL () {
  UNWIND $repair.untouched AS row
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = row.key AND touch.wrote IN [true, false] AND touch.place = row.place
  DELETE touch
}
CALL () {
  UNWIND $repair.touches AS row
  CREATE (touch:Touch)
  SET touch = row
}
CALL () {
  UNWIND $repair.states AS row
  MERGE (state:State {key: row.key})
  SET state += row.properties, state.writes = coalesce(state.writes, 0) + 1
}
CALL () {
  UNWIND $repair.unmade AS id
  MATCH (visitor:Visitor {id: id})
  SET visitor.unmadeStart = coalesce(visitor.start, visitor.unmadeStart)
  REMOVE visitor.start, visitor.end, visitor.contact, visitor.linkedAt
}
CALL () {
  UNWIND $repair.visitors AS id
  MATCH (:Visitor {id: id})-[of:OF_COOKIE]->()
  DELETE of
}
CALL () {
  UNWIND $repair.used AS id
  MATCH (cookie:Cookie {id: id})
  WITH cookie, EXISTS {
    MATCH (cookie)<-[:OF_COOKIE]-(visitor:Visitor)
    WHERE visitor.contact IS NOT NULL
  } AS isKnown
  SET cookie.known = CASE WHEN isKnown THEN true ELSE cookie.known END
  WITH cookie
  MATCH (cookie)-[on:ON_DEVICE]->(device:Device)
  SET on.device = device.id, on.known = coalesce(cookie.known, false),
      on.usedAt = coalesce(on.usedAt, cookie.lastSeenAt, 0)
}
CALL () {
  UNWIND $repair.contacts AS id
  MATCH (:Contact {id: id})-[belongs:BELONGS_TO]->()
  DELETE belongs
}
CALL () {
  UNWIND $repair.people AS id
  MATCH (:Person {id: id})-[alias:MERGED_INTO]->()
  DELETE alias
}
CALL () {
  UNWIND $repair.reviews AS id
  MATCH (:Review {id: id})-[concerns:CONCERNS]->()
  DELETE concerns
}
CALL () {
  UNWIND $repair.obsolete AS id
  MATCH (review:Review {id: id})
  SET review.state = 'OBSOLETE'
}
CALL () {
  UNWIND $repair.identifiers AS row
  MATCH (identifier:Identifier {key: row.key})
  REMOVE identifier.id
}
CALL () {
  UNWIND $repair.identifiers AS row
  MERGE (identifier:Identifier {key: row.key})
  SET identifier += row
}
CALL () {
  UNWIND $repair.stray AS row
  CALL (row) {
    MATCH (source:Visitor {id: row.source})
    RETURN source
    UNION
    MATCH (source:Contact {id: row.source})
    RETURN source
  }
  MATCH (source)-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]->()
  WHERE coalesce(link.id, '') = row.id AND type(link) = row.type
  DELETE link
}
CALL () {
  UNWIND $repair.severed AS row
  CALL (row) {
    MATCH (source:Visitor {id: row.source})
    RETURN source
    UNION
    MATCH (source:Contact {id: row.source})
    RETURN source
  }
  MATCH (source)-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]->()
  WHERE link.id = row.id AND type(link) = row.type
  SET link.state = 'SEVERED', link.retractedAt = coalesce(link.retractedAt, link.recordedAt),
      link.retractedBy = coalesce(link.retractedBy, row.by), link.reason = coalesce(link.reason, row.by)
}
CALL () {
  UNWIND $repair.links AS row
  CALL (row) {
    MATCH ()-[link:IDENTIFIED_AS {id: row.id}]->()
    RETURN link
    UNION ALL
    MATCH ()-[link:HAS_IDENTIFIER {id: row.id}]->()
    RETURN link
    UNION ALL
    MATCH ()-[link:SAME_AS {id: row.id}]->()
    RETURN link
    UNION ALL
    MATCH ()-[link:NOT_SAME_AS {id: row.id}]->()
    RETURN link
  }
  WITH row, link
  WHERE startNode(link).id <> row.source OR coalesce(endNode(link).key, endNode(link).id) <> row.target
  DELETE link
}
FINISH
