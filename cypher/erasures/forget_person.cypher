// Purpose: Take out of the graph what the fold makes no more of somebody who is erased, and what the evidence said; leave what tells that it was erased.
// Parameters: $erasure, a map: id, of the evidence; at; withdrawn, ids of evidence of which nothing is left; restated, evidence of which something is, each with id and properties; events, each with messageId and detail, what is left of it; said, ids of contacts of whom nothing is said again; contacts, people, identifiers (type:value), ids of what goes; ranges, JSON, where the events lie that are to be erased.
// Columns: none.

CALL () {
  UNWIND $erasure.withdrawn AS id
  MATCH (evidence:Evidence {id: id})
  SET evidence = {id: id, erasedBy: $erasure.id}
}
CALL () {
  UNWIND $erasure.restated AS row
  MATCH (evidence:Evidence {id: row.id})
  SET evidence += row.properties
}
CALL () {
  UNWIND $erasure.events AS row
  MATCH (event:Event {messageId: row.messageId})
  SET event.detail = row.detail, event.digest = null
  WITH event
  WHERE event.detail = '{}'
  MATCH (chat:Chat {id: event.chat})
  WHERE chat.vouchedFor = event.position
  REMOVE chat.issuer, chat.subject, chat.authenticatedAt, chat.vouchedFor
}
CALL () {
  UNWIND $erasure.said AS id
  MATCH (repetition:Repetition {contact: id})
    USING INDEX repetition:Repetition(contact, last)
  WHERE repetition.last > ''
  DELETE repetition
}
CALL () {
  UNWIND $erasure.contacts AS id
  MATCH (contact:Contact {id: id})
  CALL (contact) {
    MATCH (contact)<-[:CONCERNS]-(review:Review)
    DETACH DELETE review
  }
  DETACH DELETE contact
}
CALL () {
  UNWIND $erasure.identifiers AS key
  CALL (key) {
    MATCH (review:Review {identifier: key})
    DETACH DELETE review
  }
  CALL (key) {
    MATCH (identifier:Identifier {key: key})
    DETACH DELETE identifier
  }
  CALL (key) {
    UNWIND ['identifier:' + key, 'judged:' + key] AS name
    MATCH (state:State {key: name})
    WHERE state.value IS NULL
    DELETE state
  }
}
CALL () {
  UNWIND $erasure.people AS id
  MATCH (person:Person {id: id})
  DETACH DELETE person
}
CALL () {
  UNWIND $erasure.contacts + $erasure.people AS id
  MERGE (erased:Erased {id: id})
  SET erased.by = $erasure.id, erased.at = $erasure.at
}
MERGE (erasure:Erasure {id: $erasure.id})
SET erasure.pendingSince = $erasure.at, erasure.ranges = $erasure.ranges
