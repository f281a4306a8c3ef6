// The audit of GraphQL over HTTP that the package graphql-http has for servers.
//
// URL and KEY are in the environment, as for all of these programs; each prints one JSON value.

import { auditServer } from 'graphql-http';

const { URL: service, KEY: key } = process.env;

const results = await auditServer({
  url: `${service}/graphql`,
  fetchFn: (url, options = {}) =>
    fetch(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } }),
});
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
