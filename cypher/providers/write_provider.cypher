// Purpose: Keep a provider in the place of the one with its issuer, if there is one.
// Parameters: $issuer; $provider, all its properties, with no secret in the clear.
// Columns: none.

MERGE (provider:OidcProvider {issuer: $issuer})
SET provider = $provider
