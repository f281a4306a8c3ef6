// Segment's SDK for Node, as a server uses it that knows its visitors' cookies. Prints the requests
// that it sent, and with which statuses they were answered.

import { Analytics } from '@segment/analytics-node';

const { URL: host, KEY: writeKey, OWN: own } = process.env;
const requests = [];
const statuses = [];

const analytics = new Analytics({ host, writeKey, flushAt: 4, flushInterval: 50, maxRetries: 2 });
analytics.on('http_request', ({ url, headers, body }) => requests.push({ url, headers, body }));
analytics.on('http_response', ({ status }) => statuses.push(status));
analytics.on('error', (error) => { console.error(error); process.exitCode = 1; });

const anonymousId = `cookie-${own}`;
const userId = `user-${own}`;
const url = 'https://shop.example/';

// Two batches, which may arrive in any order: what comes first is said by the times.
let seconds = Date.now() / 1000 - 60;
const said = (call) => ({ anonymousId, timestamp: new Date((seconds += 1) * 1000), ...call });
analytics.page(said({ name: 'Home', properties: { url } }));
analytics.track(said({ event: 'Looked' }));
analytics.identify(said({ userId, traits: { email: `${own}@example.com` } }));
analytics.track(said({ userId, event: 'Bought', properties: { sum: 12.5 } }));
analytics.track(said({ userId, event: 'Signed Out' }));
analytics.track(said({ event: 'After' }));
await analytics.flush({ close: true });

console.log(JSON.stringify({ requests, statuses }));
