// Purpose: Lock what a list of evidence is about, in the one lock order, and read what its steps will read: the keys it names, and each person whom they point at.
// Parameters: $named, a map: evidence, ids of the evidence; messages, ids of the messages that come with it; besides, what the ids of evidence end with that is only looked for where its message is known; roots, keys to lock, sorted; reads, keys to read without a lock.
// Columns: known, stored, values.

CALL () {
  UNWIND $named.roots AS key
  MERGE (root:State {key: key})
  SET root.lock = 0
  RETURN collect(root) AS roots
}
// After the locks: who waited for the same message sees it now.
CALL (roots) {
  UNWIND $named.messages AS id
  MATCH (event:Event {messageId: id})
  RETURN collect(event {.messageId, .cookie, .device, .position, .occurredAt, .receivedAt, .digest, .chat, .type}) AS stored
}
CALL (stored) {
  UNWIND $named.evidence + reduce(ids = [], event IN stored | ids + [besides IN $named.besides | event.messageId + besides]) AS id
  MATCH (evidence:Evidence {id: id})
  RETURN collect([evidence.id, evidence.outcome, evidence.digest, evidence.at, evidence.recordedAt, evidence.place, evidence.cookie, evidence.pendingSince]) AS known
}
CALL (roots) {
  UNWIND roots AS state
  UNWIND state.refs AS key
  MATCH (next:State {key: key})
  RETURN collect(DISTINCT next) AS first
}
CALL (first) {
  UNWIND first AS state
  UNWIND state.refs AS key
  MATCH (next:State {key: key})
  RETURN collect(DISTINCT next) AS second
}
CALL (second) {
  UNWIND second AS state
  UNWIND state.refs AS key
  MATCH (next:State {key: key})
  RETURN collect(DISTINCT next) AS third
}
CALL (first, second, third) {
  UNWIND first + second + third AS state
  WITH DISTINCT state
  WHERE state.key STARTS WITH 'person:'
  WITH state ORDER BY state.key
  SET state.lock = 0
  RETURN collect(state) AS people
}
CALL (people) {
  UNWIND $named.reads AS key
  MATCH (next:State {key: key})
  RETURN collect(next) AS others
}
RETURN known, stored, [state IN roots + first + second + third + people + others | [state.key, state.value, state.place, state.wrote, state.repeated, coalesce(state.writes, 0)]] AS values
