// Apollo Client, with its normalised cache and its own idea of paging.

import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors';
import { relayStylePagination } from '@apollo/client/utilities';

import * as documents from './documents.mjs';

const { URL: service, KEY: key, OTHER_KEY: otherKey, INPUT: input } = process.env;
const { person, size, sent, tooLong } = JSON.parse(input);
const JOURNEY = gql(documents.JOURNEY);

const clientWith = (shown) => new ApolloClient({
  link: new HttpLink({
    uri: `${service}/graphql`,
    headers: { authorization: `Bearer ${shown}` },
  }),
  cache: new InMemoryCache({
    possibleTypes: { Problem: ['InvalidInput', 'NotFound', 'Refused', 'StaleGraph'] },
    typePolicies: { Person: { fields: { journey: relayStylePagination() } } },
  }),
});
const client = clientWith(key);

async function throughTheCache() {
  const asking = { query: JOURNEY, variables: { id: person, first: size } };
  const watched = client.watchQuery(asking);
  const watching = watched.subscribe(() => {});
  const grown = [];
  let journey = (await client.query(asking)).data.person.journey;
  for (;;) {
    grown.push(journey.edges.length);
    if (!journey.pageInfo.hasNextPage) break;
    await watched.fetchMore({ variables: { after: journey.pageInfo.endCursor } });
    ({ journey } = client.readQuery(asking).person);
  }
  watching.unsubscribe();
  return { grown, lines: documents.lines(journey) };
}

async function send(message) {
  const { data } = await client.mutate({ mutation: gql(documents.PAGE), variables: { input: message } });
  return data.page;
}

async function failure(asking) {
  const error = await asking.then(({ data }) => { throw new Error(JSON.stringify(data)); }, (e) => e);
  if (CombinedGraphQLErrors.is(error)) {
    return { errors: error.errors.map(({ message, extensions }) => ({ message, ...extensions })) };
  }
  return { other: String(error), status: ServerError.is(error) ? error.statusCode : null };
}

const ask = (of, variables) => of.query({ query: JOURNEY, variables, fetchPolicy: 'no-cache' });
const asked = { id: person, first: size };
console.log(JSON.stringify({
  journey: await throughTheCache(),
  sent: [await send(sent), await send(sent), await send(tooLong)],
  failures: {
    validation: await failure(client.query({ query: gql('{ nothing }') })),
    variable: await failure(ask(client, { first: size })),
    cursor: await failure(ask(client, { ...asked, after: 'of nothing' })),
    forbidden: await failure(ask(clientWith(otherKey), asked)),
    unknown: await failure(ask(clientWith('a key that nobody has'), asked)),
  },
}));
