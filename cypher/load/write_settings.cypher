// Purpose: Give a graph that was loaded the installation that it is of, with versions of the policy, keys and identity providers; and the lease, with the number of its last change.
// Parameters: $settings, a map: installation, policies, keys, providers, as load/read_settings has them; lease, the properties of the Lease.
// Columns: none.

CALL () {
  MERGE (installation:Installation {name: 'graphid'})
  SET installation = $settings.installation
}
CALL () {
  UNWIND $settings.policies AS row
  CREATE (policy:Policy)
  SET policy = row
}
CALL () {
  UNWIND $settings.keys AS row
  CREATE (key:AccessKey)
  SET key = row
}
CALL () {
  UNWIND $settings.providers AS row
  CREATE (provider:OidcProvider)
  SET provider = row
}
CALL () {
  MERGE (lease:Lease {name: $settings.lease.name})
  SET lease = $settings.lease
}
FINISH
