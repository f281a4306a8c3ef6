// Purpose: Contacts that were ever made: what each is named for, and the evidence that made it.
// Parameters: $ids, ids of contacts.
// Columns: id, made, namedFor, cookie, place, recordedAt.

UNWIND $ids AS id
MATCH (contact:Contact {id: id})
OPTIONAL MATCH (evidence:Evidence {id: contact.evidence})
RETURN contact.id AS id, contact.made AS made, contact.namedFor AS namedFor,
  evidence.cookie AS cookie, evidence.place AS place, evidence.recordedAt AS recordedAt
