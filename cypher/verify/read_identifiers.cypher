// Purpose: Identifiers: a page of them, or named ones.
// Parameters: $named, a map: ids, the keys of the identifiers; after, the key that the page follows; size, of the page.
// Columns: rows.
// Plan: offline

CALL () {
  UNWIND $named.ids AS id
  MATCH (identifier:Identifier {key: id})
  RETURN identifier
  UNION ALL
  MATCH (identifier:Identifier)
    USING INDEX identifier:Identifier(key)
  WHERE identifier.key > $named.after
  RETURN identifier ORDER BY identifier.key LIMIT $named.size
}
RETURN collect([identifier.key, properties(identifier)]) AS rows
