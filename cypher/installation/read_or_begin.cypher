// Purpose: The installation that this graph belongs to, begun now where it is new.
// Parameters: $fingerprint, of the secret that ids are to be keyed by; $secret, that secret where it is to be kept here, else null.
// Columns: fingerprint, secret.

MERGE (installation:Installation {name: 'graphid'})
  ON CREATE SET installation.fingerprint = $fingerprint, installation.secret = $secret, installation.begunAt = timestamp()
RETURN installation.fingerprint AS fingerprint, installation.secret AS secret
