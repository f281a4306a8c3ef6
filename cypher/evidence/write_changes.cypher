// Purpose: Write a unit of work: its events, the evidence with its answers, and what the steps changed of the fold's memory and the readable graph.
// Parameters: $batch, events that are not stored yet, as graphid.service.batches makes it; $repetitions, what of them only says again what is so, as parts/note_repetitions has it; $changes, a map: evidence, what was received; touches, what the steps read and wrote at which place; states, keys with the place of the last touch and what is otherwise new of them; visitors, devices, contacts, identifiers, people, aliases, reviews, nodes as they now are; identifiedAs, hasIdentifier, sameAs, notSameAs, links as they now are; log, what changes of who is who (docs/graph.md, Change), which gets its number later.
// Columns: none.

CALL () {
  // Include: parts/append_events
}
CALL () {
  UNWIND $changes.evidence AS row
  CREATE (evidence:Evidence)
  SET evidence = row
}
CALL () {
  UNWIND $changes.touches AS row
  CREATE (touch:Touch)
  SET touch = row
}
CALL () {
  UNWIND $changes.states AS row
  MERGE (state:State {key: row.key})
  // How often it was written tells whether a value that was read is the same still.
  SET state += row.properties,
      state.writes = CASE WHEN row.properties.wrote IS NULL THEN state.writes ELSE coalesce(state.writes, 0) + 1 END,
      state.place = CASE WHEN state.place > row.place THEN state.place ELSE row.place END
}
CALL () {
  // Include: parts/note_repetitions
}
CALL () {
  UNWIND $changes.visitors AS row
  MERGE (visitor:Visitor {id: row.id})
  SET visitor += row.properties
  REMOVE visitor.unmadeStart
  MERGE (cookie:Cookie {id: row.cookie})
  MERGE (visitor)-[:OF_COOKIE]->(cookie)
  WITH row, cookie
  WHERE row.properties.contact IS NOT NULL AND cookie.known IS NULL
  SET cookie.known = true
  WITH cookie
  MATCH (cookie)-[on:ON_DEVICE]->()
  SET on.known = true
}
CALL () {
  UNWIND $changes.devices AS row
  MATCH (device:Device {id: row.id})
  SET device.sharedSince = row.sharedSince
}
CALL () {
  UNWIND $changes.contacts AS row
  MERGE (contact:Contact {id: row.id})
  SET contact += row.properties
}
CALL () {
  UNWIND $changes.identifiers AS row
  MERGE (identifier:Identifier {key: row.key})
    ON CREATE SET identifier.id = row.id, identifier.type = row.type, identifier.value = row.value, identifier.words = row.words
}
CALL () {
  UNWIND $changes.people AS row
  MERGE (person:Person {id: row.id})
  WITH person, row
  OPTIONAL MATCH (person)-[alias:MERGED_INTO]->()
  DELETE alias
  WITH DISTINCT person, row
  UNWIND row.contacts AS id
  MATCH (contact:Contact {id: id})
  OPTIONAL MATCH (contact)-[former:BELONGS_TO]->(other)
  WHERE other <> person
  DELETE former
  MERGE (contact)-[:BELONGS_TO]->(person)
}
CALL () {
  UNWIND $changes.aliases AS row
  MERGE (person:Person {id: row.id})
  MERGE (into:Person {id: row.into})
  WITH person, into
  OPTIONAL MATCH (person)-[former:MERGED_INTO]->(other)
  WHERE other <> into
  DELETE former
  MERGE (person)-[:MERGED_INTO]->(into)
}
CALL () {
  UNWIND $changes.identifiedAs AS row
  MATCH (visitor:Visitor {id: row.source})
  CALL (row, visitor) {
    MATCH (contact:Contact {id: row.target})
    MERGE (visitor)-[link:IDENTIFIED_AS {id: row.id}]->(contact)
    SET link = row.properties
  }
}
CALL () {
  UNWIND $changes.hasIdentifier AS row
  MATCH (contact:Contact {id: row.source})
  CALL (row, contact) {
    MATCH (identifier:Identifier {key: row.target})
    MERGE (contact)-[link:HAS_IDENTIFIER {id: row.id}]->(identifier)
    SET link = row.properties
  }
}
CALL () {
  UNWIND $changes.sameAs AS row
  MATCH (contact:Contact {id: row.source})
  CALL (row, contact) {
    MATCH (other:Contact {id: row.target})
    MERGE (contact)-[link:SAME_AS {id: row.id}]->(other)
    SET link = row.properties
  }
}
CALL () {
  UNWIND $changes.notSameAs AS row
  MERGE (contact:Contact {id: row.source})
  MERGE (other:Contact {id: row.target})
  MERGE (contact)-[link:NOT_SAME_AS {id: row.id}]->(other)
  SET link = row.properties
}
CALL () {
  UNWIND $changes.reviews AS row
  MERGE (review:Review {id: row.id})
  SET review += row.properties
  WITH review, row
  UNWIND row.properties.contacts AS id
  MATCH (contact:Contact {id: id})
  MERGE (review)-[:CONCERNS]->(contact)
}
CALL () {
  UNWIND $changes.log AS row
  // The database's clock, behind the locks: of two units that are about one person, the first comes first.
  WITH row, datetime.realtime() AS now
  WITH row, now.epochSeconds * 1000000 + now.microsecond AS at
  CREATE (change:Change)
  SET change = row, change.recordedAt = at, change.waiting = at
}
FINISH
