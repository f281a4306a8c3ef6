// Purpose: Let a lease go, so that another process need not wait until its time is over.
// Parameters: $name, of the lease; $holder, whose it is.
// Columns: none.

MATCH (lease:Lease {name: $name})
WHERE lease.holder = $holder
SET lease.until = 0
FINISH
