// Purpose: People with whom they were merged into: a page of them, or named ones.
// Parameters: $named, a map: ids, of the people; after, the id that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (person:Person {id: id})
  RETURN person
  UNION ALL
  MATCH (person:Person)
    USING INDEX person:Person(id)
  WHERE person.id > $named.after
  RETURN person ORDER BY person.id LIMIT $named.size
}
RETURN collect([person.id, [(person)-[:MERGED_INTO]->(into) | into.id]]) AS rows
