// Purpose: wait for the lock on the schema and hold it until this transaction ends. Setting a
//   property takes the lock also where the node is there already, which MERGE alone would not.
// Parameters: none.
// Columns: none.
MERGE (lock:SchemaLock {name: 'schema'})
SET lock.taken = coalesce(lock.taken, 0) + 1
