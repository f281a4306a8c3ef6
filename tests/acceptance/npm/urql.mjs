// urql, as a page or a server uses it: the exchanges that it comes with.

import { Client, cacheExchange, fetchExchange, gql } from '@urql/core';

import * as documents from './documents.mjs';

const { URL: service, KEY: key, OTHER_KEY: otherKey, INPUT: input } = process.env;
const { person, size, sent, tooLong } = JSON.parse(input);
const JOURNEY = gql(documents.JOURNEY);

const clientWith = (shown) => new Client({
  url: `${service}/graphql`,
  exchanges: [cacheExchange, fetchExchange],
  fetchOptions: { headers: { authorization: `Bearer ${shown}` } },
});
const client = clientWith(key);

async function journey(variables) {
  const { data, error } = await client.query(JOURNEY, { id: person, ...variables }).toPromise();
  if (error) throw error;
  return data.person.journey;
}

async function forwards() {
  const pages = [];
  for (let after = null, more = true; more;) {
    const page = await journey({ first: size, after });
    pages.push(documents.lines(page));
    ({ endCursor: after, hasNextPage: more } = page.pageInfo);
  }
  return pages;
}

async function backwards() {
  const pages = [];
  for (let before = null, more = true; more;) {
    const page = await journey({ last: size, before });
    pages.unshift(documents.lines(page));
    ({ startCursor: before, hasPreviousPage: more } = page.pageInfo);
  }
  return pages;
}

async function send(message) {
  const { data, error } = await client.mutation(gql(documents.PAGE), { input: message }).toPromise();
  if (error) throw error;
  return data.page;
}

async function failure(asking) {
  const { data, error } = await asking.toPromise();
  return {
    data: data ?? null,
    status: error.response?.status,
    network: error.networkError?.message ?? null,
    errors: error.graphQLErrors.map(({ message, extensions }) => ({ message, ...extensions })),
  };
}

const asked = { id: person, first: size };
console.log(JSON.stringify({
  forwards: await forwards(),
  backwards: await backwards(),
  sent: [await send(sent), await send(sent), await send(tooLong)],
  failures: {
    validation: await failure(client.query(gql('{ nothing }'), {})),
    variable: await failure(client.query(JOURNEY, { first: size })),
    cursor: await failure(client.query(JOURNEY, { ...asked, after: 'of nothing' })),
    forbidden: await failure(clientWith(otherKey).query(JOURNEY, asked)),
    unknown: await failure(clientWith('a key that nobody has').query(JOURNEY, asked)),
  },
}));
