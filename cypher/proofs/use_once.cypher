// Purpose: Use up what may be used once, a code or a nonce; what was used before stays as it is and is told.
// Parameters: $uses, a map: rows, each with key, by and message; at.
// Columns: used.

UNWIND $uses.rows AS row
MERGE (used:Used {key: row.key})
  ON CREATE SET used.by = row.by, used.message = row.message, used.at = $uses.at
RETURN collect([used.key, used.by]) AS used
