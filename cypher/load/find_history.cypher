// Purpose: Whether anything has happened in this graph: of which kinds there are nodes that a history makes.
// Parameters: none.
// Columns: kinds.
// Plan: offline

UNWIND [
  ['cookies', COUNT { (:Cookie) }], ['devices', COUNT { (:Device) }], ['events', COUNT { (:Event) }],
  ['chats', COUNT { (:Chat) }], ['visitors', COUNT { (:Visitor) }], ['contacts', COUNT { (:Contact) }],
  ['people', COUNT { (:Person) }], ['evidence', COUNT { (:Evidence) }], ['changes', COUNT { (:Change) }],
  ['erasures', COUNT { (:Erasure) }]
] AS row
WITH row WHERE row[1] > 0
RETURN collect(row[0]) AS kinds
