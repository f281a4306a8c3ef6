// Purpose: Identifies and records of sources as they were recorded; and which identifiers the people of contacts hold, or held until their source listed them no more.
// Parameters: $evidence, ids; $contacts, ids.
// Columns: statements (texts, JSON), held (contact, identifier, until when or null).

RETURN COLLECT {
  UNWIND $evidence AS id
  MATCH (piece:Evidence {id: id})
  WHERE piece.kind IN ['identify', 'contact'] AND piece.body IS NOT NULL
  RETURN piece.body
} AS statements, COLLECT {
  UNWIND $contacts AS id
  MATCH (:Contact {id: id})-[:BELONGS_TO]->(person:Person)
  MATCH (person)<-[:BELONGS_TO]-(:Contact)-[hold:HAS_IDENTIFIER]->(identifier:Identifier)
  WHERE hold.state <> 'SEVERED'
  RETURN [id, identifier.key, hold.endedAt]
} AS held
