// Purpose: Take a lease that nobody holds, or whose time is over, or keep one's own; no row where another process holds it. Each taking over is a term of its own. The clock is the database's.
// Parameters: $lease, a map: name, holder, milliseconds.
// Columns: term.

MERGE (lease:Lease {name: $lease.name})
SET lease.lock = 0
WITH lease, datetime.realtime() AS now
WHERE lease.holder IS NULL OR lease.holder = $lease.holder OR lease.until <= now.epochMillis
SET lease.term = coalesce(lease.term, 0) + CASE WHEN lease.holder = $lease.holder THEN 0 ELSE 1 END
SET lease.holder = $lease.holder, lease.until = now.epochMillis + $lease.milliseconds
RETURN lease.term AS term
