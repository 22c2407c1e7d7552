// Apollo Client: mutations and queries over HTTP, the subscription over a WebSocket.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';

import { email, endpoint, expect, finish, mailedCode, password } from './common.mjs';

const client = new ApolloClient({ link: new HttpLink({ uri: endpoint }), cache: new InMemoryCache() });

async function mutate(mutation, variables, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const { data } = await client.mutate({ mutation, variables, context: { headers } });
  return Object.values(data)[0];
}

const started = expect(
  'SignUpStarted',
  await mutate(
    gql`
      mutation SignUp($input: SignUpInput!) {
        signUp(input: $input) {
          ... on SignUpStarted { signUpToken }
          ... on UserError { code message }
        }
      }
    `,
    { input: { email, password } },
  ),
);
const session = expect(
  'SessionStarted',
  await mutate(
    gql`
      mutation CompleteSignUp($input: CompleteSignUpInput!) {
        completeSignUp(input: $input) {
          ... on SessionStarted { token account { id email } }
          ... on UserError { code message }
        }
      }
    `,
    { input: { signUpToken: started.signUpToken, code: await mailedCode() } },
  ),
);

const socket = createClient({
  url: endpoint.replace(/^http/, 'ws'),
  connectionParams: { Authorization: `Bearer ${session.token}` },
});
const live = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() });
const connected = new Promise((resolve) => socket.on('connected', resolve));
const heard = new Promise((resolve, reject) => {
  live.subscribe({ query: gql`subscription { securityEvents(kinds: [API_KEY_CREATED]) { id kind } }` })
    .subscribe({ next: ({ data }) => resolve(data.securityEvents.kind), error: reject });
});
await connected;
// A query on the same socket is answered after the subscription before it has begun.
await live.query({ query: gql`{ viewer { id } }` });

const created = expect(
  'ApiKeyCreated',
  await mutate(
    gql`
      mutation CreateApiKey($input: CreateApiKeyInput!) {
        createApiKey(input: $input) {
          ... on ApiKeyCreated { key apiKey { id name } }
          ... on UserError { code message }
        }
      }
    `,
    { input: { name: 'apollo' } },
    session.token,
  ),
);
finish({ key: created.key, name: created.apiKey.name, heard: await heard });
