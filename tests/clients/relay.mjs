// Relay: its compiler's artifacts, run by its runtime; `node` and connections are what it asks of a schema.
import { commitMutation, Environment, fetchQuery, getSelector, Network, RecordSource, Store } from 'relay-runtime';

import { email, endpoint, expect, finish, mailedCode, password } from './common.mjs';
import keysFragment from './relay/__generated__/documents_keys.graphql.js';
import completeSignUp from './relay/__generated__/documentsCompleteSignUpMutation.graphql.js';
import createApiKey from './relay/__generated__/documentsCreateApiKeyMutation.graphql.js';
import keysQuery from './relay/__generated__/documentsKeysQuery.graphql.js';
import signUp from './relay/__generated__/documentsSignUpMutation.graphql.js';

let token;

async function ask({ text, name }, variables) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const body = JSON.stringify({ query: text, operationName: name, variables });
  return (await fetch(endpoint, { method: 'POST', headers, body })).json();
}

const environment = new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });

function mutate(mutation, input) {
  return new Promise((resolve, reject) => {
    commitMutation(environment, {
      mutation,
      variables: { input },
      onCompleted: (data, errors) => (errors ? reject(errors) : resolve(Object.values(data)[0])),
      onError: reject,
    });
  });
}

const started = expect('SignUpStarted', await mutate(signUp, { email, password }));
const completed = await mutate(completeSignUp, { signUpToken: started.signUpToken, code: await mailedCode() });
({ token } = expect('SessionStarted', completed));
const created = expect('ApiKeyCreated', await mutate(createApiKey, { name: 'relay' }));
const { viewer } = await fetchQuery(environment, keysQuery, { first: 10 }).toPromise();
const { data } = environment.lookup(getSelector(keysFragment, viewer));
if (data.email !== email) throw new Error(`another account: ${data.email}`);
finish({ key: created.key, name: data.apiKeys.edges[0].node.name });
