// Purpose: Identity providers that are set up in the graph, one for each issuer.
// Parameters: none.
// Columns: none.

CREATE CONSTRAINT oidc_provider_issuer IF NOT EXISTS FOR (n:OidcProvider) REQUIRE n.issuer IS UNIQUE;
