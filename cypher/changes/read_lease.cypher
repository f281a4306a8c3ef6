// Purpose: Whether a lease may be taken, and the last numbers that were given under it. No row where nobody has held it yet.
// Parameters: $name, of the lease.
// Columns: free, last, line.

MATCH (lease:Lease {name: $name})
RETURN lease.until <= datetime.realtime().epochMillis AS free, coalesce(lease.last, 0) AS last, coalesce(lease.line, 0) AS line
