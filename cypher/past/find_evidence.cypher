// Purpose: The evidence that bears on keys of the fold, as far as it was recorded by then; and whatever keeps somebody apart or erases somebody, as that may have taken back what stood then.
// Parameters: $named, a map: touched, keys; cookies, the client's ids; contacts and visitors, ids; $horizon, a map: place (only what stands before it) and recorded (by when); $limit, how many.
// Columns: evidence, identifiers (what the contacts are named for), cookies (of the visitors).

CALL () {
  UNWIND $named.touched AS key
  MATCH (touch:Touch)
    USING INDEX touch:Touch(key, wrote, place)
  WHERE touch.key = key AND touch.wrote IN [true, false] AND touch.place < $horizon.place
  WITH DISTINCT touch.place AS place
  MATCH (evidence:Evidence {place: place})
  RETURN evidence
  UNION
  UNWIND $named.cookies AS cookie
  MATCH (evidence:Evidence)
    USING INDEX evidence:Evidence(cookie, place)
  WHERE evidence.cookie = cookie AND evidence.place < $horizon.place
  RETURN evidence
  UNION
  UNWIND $named.contacts AS id
  MATCH (contact:Contact {id: id})
  CALL (contact) {
    RETURN contact.evidence AS by
    UNION
    MATCH (contact)-[link:IDENTIFIED_AS|HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]-()
    UNWIND [link.evidence, link.endedBy, link.retractedBy] AS by
    RETURN by
  }
  MATCH (evidence:Evidence {id: by})
  RETURN evidence
  UNION
  UNWIND $named.visitors AS id
  MATCH (visitor:Visitor {id: id})
  MATCH (visitor)-[link:IDENTIFIED_AS]->()
  UNWIND [link.evidence, link.endedBy, link.retractedBy] AS by
  MATCH (evidence:Evidence {id: by})
  RETURN evidence
}
WITH DISTINCT evidence
WHERE evidence.pendingSince IS NULL AND evidence.place < $horizon.place
  AND (evidence.recordedAt <= $horizon.recorded OR evidence.kind IN ['keep_apart', 'erase'])
WITH evidence LIMIT $limit
WITH collect(evidence.id) AS evidence
RETURN evidence,
  COLLECT {
    UNWIND $named.contacts AS id
    MATCH (contact:Contact {id: id})
    WHERE contact.namedFor IS NOT NULL
    RETURN contact.namedFor
  } AS identifiers,
  COLLECT {
    UNWIND $named.visitors AS id
    MATCH (visitor:Visitor {id: id})
    RETURN visitor.cookie
  } AS cookies
