// Purpose: Reviews with whom they concern: a page of them, or named ones.
// Parameters: $named, a map: ids, of the reviews; after, the id that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (review:Review {id: id})
  RETURN review
  UNION ALL
  MATCH (review:Review)
    USING INDEX review:Review(id)
  WHERE review.id > $named.after
  RETURN review ORDER BY review.id LIMIT $named.size
}
RETURN collect([review.id, properties(review), [(review)-[:CONCERNS]->(contact) | contact.id]]) AS rows
