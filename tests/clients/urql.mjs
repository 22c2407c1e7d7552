// urql: everything over HTTP, the subscription as server-sent events.
import { cacheExchange, Client, fetchExchange } from '@urql/core';

import { email, endpoint, expect, finish, mailedCode, password } from './common.mjs';

let token;
const client = new Client({
  url: endpoint,
  exchanges: [cacheExchange, fetchExchange],
  fetchSubscriptions: true,
  preferGetMethod: false,
  fetchOptions: () => ({ headers: token ? { authorization: `Bearer ${token}` } : {} }),
});

async function mutate(document, input) {
  const { data, error } = await client.mutation(document, { input }).toPromise();
  if (error) throw error;
  return Object.values(data)[0];
}

const started = expect(
  'SignUpStarted',
  await mutate(
    'mutation SignUp($input: SignUpInput!) { signUp(input: $input) { ... on SignUpStarted { signUpToken } ... on UserError { code } } }',
    { email, password },
  ),
);
const session = expect(
  'SessionStarted',
  await mutate(
    `mutation CompleteSignUp($input: CompleteSignUpInput!) {
      completeSignUp(input: $input) { ... on SessionStarted { token account { id } } ... on UserError { code } }
    }`,
    { signUpToken: started.signUpToken, code: await mailedCode() },
  ),
);
({ token } = session);

const heard = new Promise((resolve, reject) => {
  client
    .subscription('subscription { securityEvents(kinds: [API_KEY_CREATED]) { id kind } }', {})
    .subscribe(({ data, error }) => (error ? reject(error) : resolve(data.securityEvents.kind)));
});
// The stream may begin after the key is made: so keys are made until one is heard of.
const keys = [];
while (!(await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 200))]))) {
  keys.push(
    expect(
      'ApiKeyCreated',
      await mutate(
        `mutation CreateApiKey($input: CreateApiKeyInput!) {
          createApiKey(input: $input) { ... on ApiKeyCreated { key apiKey { id name } } ... on UserError { code } }
        }`,
        { name: 'urql' },
      ),
    ),
  );
}
finish({ key: keys[0].key, name: keys[0].apiKey.name, heard: await heard });
