// A server of a shop that knows its visitors' cookies. Prints the requests that the SDK sent, and with
// which statuses they were answered. sdk.mjs is what docs/sdks.md says.

import { analytics } from './sdk.mjs';

const { OWN: own } = process.env;
const requests = [];
const statuses = [];

analytics.on('http_request', ({ url, headers, body }) => requests.push({ url, headers, body }));
analytics.on('http_response', ({ status }) => statuses.push(status));
analytics.on('error', (error) => { console.error(error); process.exitCode = 1; });

const anonymousId = `cookie-${own}`;
const userId = `user-${own}`;

analytics.page({ anonymousId, properties: { url: 'https://shop.example/' } });
analytics.track({ anonymousId, event: 'Looked' });
analytics.identify({ anonymousId, userId, traits: { email: `${own}@example.com` } });
analytics.track({ anonymousId, userId, event: 'Bought', properties: { sum: 12.5 } });
analytics.track({ anonymousId, userId, event: 'Signed Out' });
analytics.track({ anonymousId, event: 'After' });
await analytics.flush({ close: true });

console.log(JSON.stringify({ requests, statuses }));
