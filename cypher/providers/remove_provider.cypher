// Purpose: Forget the provider of an issuer, with its secret.
// Parameters: $issuer.
// Columns: issuer, where there was one.

MATCH (provider:OidcProvider {issuer: $issuer})
WITH provider, provider.issuer AS issuer
DELETE provider
RETURN issuer
