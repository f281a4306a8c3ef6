// Jitsu's SDK in a server: each call says whose cookie it is about. Prints the requests that it sent.

import { jitsuAnalytics } from '@jitsu/js';

const { URL: host, KEY: writeKey, OWN: own } = process.env;
const requests = [];

const recordingFetch = async (url, options) => {
  requests.push({ url, headers: options.headers, body: options.body });
  return fetch(url, options);
};

const analytics = jitsuAnalytics({
  host, writeKey, s2s: true, fetch: recordingFetch, errorPolicy: 'rethrow',
});
const of = { anonymousId: `cookie-${own}` };
const user = { ...of, userId: `user-${own}` };

await analytics.track('Looked', {}, of);
await analytics.identify(`user-${own}`, { email: `${own}@example.com` }, of);
await analytics.track('Bought', { sum: 12.5 }, user);
await analytics.track('Signed Out', {}, user);

console.log(JSON.stringify({ requests }));
