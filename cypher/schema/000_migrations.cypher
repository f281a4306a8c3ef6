// What the migrations themselves need: each is recorded once, and one process at a time applies them.
CREATE CONSTRAINT schema_migration_number IF NOT EXISTS
FOR (migration:SchemaMigration) REQUIRE migration.number IS UNIQUE;

CREATE CONSTRAINT schema_lock_name IF NOT EXISTS
FOR (lock:SchemaLock) REQUIRE lock.name IS UNIQUE;
