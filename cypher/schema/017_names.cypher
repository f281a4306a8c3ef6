// Purpose: Names that statements read by, before anything has them: a plan that was made without such a name is thrown away once there is one.
// Parameters: none.
// Columns: none.

UNWIND ['Loaded'] AS name CALL db.createLabel(name);

UNWIND ['BELONGS_TO', 'CONCERNS', 'MERGED_INTO', 'OF', 'OF_COOKIE', 'ON_COOKIE'] AS name
CALL db.createRelationshipType(name);

UNWIND [
  'answer', 'assurance', 'at', 'begunAt', 'body', 'by', 'detail', 'digest', 'document', 'end',
  'endedAt', 'endedBy', 'evidence', 'isRecord', 'lastActivityAt', 'lastChatAt', 'lastSeenAt',
  'links', 'made', 'madeAt', 'message', 'migrations', 'moved', 'movedBy', 'movedFrom', 'nobody',
  'occurredAt', 'openedBy', 'opening', 'outcome', 'person', 'policy', 'previous', 'receivedAt',
  'recordedAt', 'refs', 'repeated', 'repetition', 'restamped', 'retractedAt', 'retractedBy', 'rule',
  'said', 'session', 'setAt', 'setBy', 'settings', 'startedBy', 'touched', 'traits', 'type',
  'unmadeStart', 'until', 'vouchedFor'
] AS name
CALL db.createProperty(name);
