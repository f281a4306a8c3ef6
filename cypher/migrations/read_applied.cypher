// Purpose: the migrations that this graph has, to compare with the files.
// Parameters: none.
// Columns: number, name, checksum.
MATCH (migration:SchemaMigration)
WHERE migration.number >= 0
RETURN migration.number AS number, migration.name AS name, migration.checksum AS checksum
ORDER BY number
