// Shows GraphiQL to whoever shows a key. The key is held in this closure and nowhere else: it is in
// no storage and in no address, and it is sent to this service only.
'use strict';

(() => {
  const FIRST = `# Who holds this e-mail address, and what did they do?
query Journey($type: String!, $value: String!) {
  personByIdentifier(type: $type, value: $value) {
    id
    kind
    displayName
    journey(first: 20) {
      edges { node { occurredAt type attribution { basis explanation } } }
    }
  }
}
`;
  const form = document.getElementById('show-key');
  const field = document.getElementById('key');
  const said = document.getElementById('said');
  const root = ReactDOM.createRoot(document.getElementById('graphiql'));
  const endpoint = new URL('graphql', document.baseURI);
  const socket = new URL(endpoint);
  socket.protocol = endpoint.protocol.replace('http', 'ws');
  let shown = 0;

  // What GraphiQL remembers (queries and their variables, which may name people) ends with the tab.
  const storage = {
    getItem: (name) => sessionStorage.getItem(name),
    setItem: (name, value) => sessionStorage.setItem(name, value),
    removeItem: (name) => sessionStorage.removeItem(name),
    clear: () => sessionStorage.clear(),
    get length() { return sessionStorage.length; },
  };

  function fetcherOf(authorization) {
    return GraphiQL.createFetcher({
      url: endpoint.href,
      subscriptionUrl: socket.href,
      wsConnectionParams: { Authorization: authorization },
      enableIncrementalDelivery: false,
      fetch: (url, options) => {
        const headers = new Headers(options.headers);
        // The headers editor has the last word.
        if (!headers.has('authorization')) headers.set('Authorization', authorization);
        return fetch(url, { ...options, headers, cache: 'no-store', credentials: 'omit' });
      },
    });
  }

  function show(key) {
    shown += 1;
    root.render(React.createElement(GraphiQL, {
      key: shown,
      fetcher: fetcherOf(`Bearer ${key}`),
      storage,
      defaultQuery: FIRST,
      defaultEditorToolsVisibility: 'variables',
      shouldPersistHeaders: false,
      showPersistHeadersSettings: false,
    }));
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    show(field.value.trim());
    field.value = '';
    said.value = 'A key is in use.';
  });
  form.addEventListener('reset', () => {
    root.render(null);
    said.value = 'No key is in use.';
  });
})();
