// Purpose: note that a migration is applied.
// Parameters: $number, its number; $name, its file's name; $checksum, SHA-256 of its statements.
// Columns: none.
CREATE (:SchemaMigration {
  number: $number, name: $name, checksum: $checksum, appliedAt: datetime()
})
