// Purpose: Whom a text may mean: who holds an identifier that it is, and whose names or identifiers have its words.
// Parameters: $sought, a map: keys, identifiers as type:value; values, of identifiers of any type; queries, of the index people_words; hits, how many of each.
// Columns: found (id of a person, kind of the hit, the words that were found).

CALL () {
  UNWIND $sought.keys AS key
  MATCH (identifier:Identifier {key: key})
  RETURN identifier AS node, 'EXACT' AS kind
  UNION ALL
  UNWIND $sought.values AS value
  MATCH (identifier:Identifier)
  WHERE identifier.value = value
  RETURN identifier AS node, 'EXACT' AS kind LIMIT $sought.hits
  UNION ALL
  UNWIND $sought.queries AS text
  CALL db.index.fulltext.queryNodes('people_words', text, {limit: $sought.hits}) YIELD node
  RETURN node, CASE WHEN node:Contact THEN 'NAME' ELSE 'IDENTIFIER' END AS kind
}
CALL (node) {
  MATCH (node)-[:BELONGS_TO]->(person:Person)
  WHERE EXISTS {
    MATCH (person)<-[:BELONGS_TO]-(contact:Contact)
    WHERE contact.isRecord OR EXISTS { (contact)-[hold:HAS_IDENTIFIER]->(:Identifier) WHERE hold.state = 'ACTIVE' }
  }
  RETURN person.id AS person
  UNION ALL
  MATCH (node)<-[hold:HAS_IDENTIFIER]-(:Contact)-[:BELONGS_TO]->(person:Person)
  WHERE hold.state = 'ACTIVE'
  RETURN person.id AS person
}
RETURN collect([person, kind, coalesce(node.names, node.words, '')]) AS found
