// Purpose: All identity providers that the graph keeps, by issuer; they are few.
// Parameters: none.
// Columns: provider.

MATCH (provider:OidcProvider) WHERE provider.issuer > ''
RETURN provider {.*} AS provider ORDER BY provider.issuer
