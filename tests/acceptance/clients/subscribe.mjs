// Subscribes as npm's clients do, and writes each result as one line of JSON.
// Arguments: transport (ws or sse), url, key, document, variables (JSON), how many results.
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";

const [transport, url, key, query, variables, most] = process.argv.slice(2);
const Authorization = `Bearer ${key}`;
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

const client =
  transport === "ws"
    ? createWsClient({
        url: url.replace("http", "ws"),
        webSocketImpl: WebSocket,
        connectionParams: { Authorization },
        retryAttempts: 0,
        on: {
          connected: () => say({ connected: true }),
          closed: ({ code, reason }) => say({ closed: code, reason: String(reason) }),
        },
      })
    : createSseClient({
        url,
        headers: { Authorization },
        retryAttempts: 0,
        onMessage: () => {},
        on: { connected: () => say({ connected: true }) },
      });

let count = 0;
try {
  for await (const result of client.iterate({ query, variables: JSON.parse(variables) })) {
    say({ result });
    count += 1;
    if (count >= Number(most)) break;
  }
  say({ completed: true });
} catch (error) {
  say({ error: error.errors ?? error.map?.((one) => one) ?? { code: error.code, message: error.message ?? String(error) } });
}
client.dispose?.();
