// Purpose: wait for the lock on the providers and hold it until this transaction ends, so that of
//   two who set one at once each sees what the other did. Setting a property takes the lock.
// Parameters: none.
// Columns: locked (how often it was taken).

MATCH (installation:Installation {name: 'graphid'})
SET installation.providersLocked = coalesce(installation.providersLocked, 0) + 1
RETURN installation.providersLocked AS locked
