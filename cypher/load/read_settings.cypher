// Purpose: What a graph without a history holds: its installation, versions of the policy, keys, identity providers, and the audit.
// Parameters: none.
// Columns: installation, policies, keys, providers, entries.
// Plan: offline

RETURN
  head(COLLECT { MATCH (installation:Installation {name: 'graphid'}) RETURN properties(installation) }) AS installation,
  COLLECT { MATCH (policy:Policy) RETURN properties(policy) } AS policies,
  COLLECT { MATCH (key:AccessKey) RETURN properties(key) } AS keys,
  COLLECT { MATCH (provider:OidcProvider) RETURN properties(provider) } AS providers,
  COLLECT { MATCH (entry:AuditEntry) RETURN properties(entry) } AS entries
