// Purpose: Contacts with whom they belong to and what they are linked to: a page of them, or named ones.
// Parameters: $named, a map: ids, of the contacts; after, the id that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (contact:Contact {id: id})
  RETURN contact
  UNION ALL
  MATCH (contact:Contact)
    USING INDEX contact:Contact(id)
  WHERE contact.id > $named.after
  RETURN contact ORDER BY contact.id LIMIT $named.size
}
RETURN collect([
  contact.id,
  properties(contact),
  [(contact)-[:BELONGS_TO]->(person) | person.id],
  [(contact)-[link:HAS_IDENTIFIER|SAME_AS|NOT_SAME_AS]->(other) | [type(link), properties(link), coalesce(other.key, other.id)]]
]) AS rows
