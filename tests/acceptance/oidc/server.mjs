// A certified identity provider on loopback. It enforces PKCE, and lets in whoever the browser says
// it is (login_hint): tests are of what it gives out, not of passwords.
//
// node server.mjs REDIRECT_URI [PORT]; it ends when its standard input does.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

const [redirect, port = '0'] = process.argv.slice(2);

const keys = [
  ['rsa', 'RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['ec', 'ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
].map(([kid, alg, { privateKey }]) => ({
  ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig',
}));

const client = (id, method, others) => ({
  client_id: id,
  redirect_uris: [redirect],
  response_types: ['code'],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: method,
  ...others,
});

const server = createServer();
server.listen(Number(port), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      client('basic', 'client_secret_basic', { client_secret: 'a:secret/of 50% + more' }),
      client('post', 'client_secret_post', { client_secret: 'another:secret/of 50% + more' }),
      client('public', 'none', { id_token_signed_response_alg: 'ES256' }),
    ],
    jwks: { keys },
    cookies: { keys: ['of the tests'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    // What the scopes ask for is in the ID token too, as most providers have it.
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      phone: ['phone_number', 'phone_number_verified'],
      profile: ['given_name', 'family_name'],
    },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.com`,
        email_verified: !id.startsWith('unverified'),
        phone_number: '+442079460958',
        phone_number_verified: false,
        given_name: id,
        family_name: 'Doe',
      }),
    }),
  });

  async function interact(request, response) {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    let result = { login: { accountId: params.login_hint ?? 'jane' } };
    if (prompt.name === 'consent') {
      const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      result = { consent: { grantId: await grant.save() } };
    }
    await provider.interactionFinished(request, response, result, {
      mergeWithLastSubmission: prompt.name === 'consent',
    });
  }

  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) {
      answer(request, response);
      return;
    }
    interact(request, response).catch((error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  console.log(`the provider answers at ${issuer}`);
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
