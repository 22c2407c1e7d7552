// Documents that graphql-codegen has typed: the TypeScript compiler knows every answer, and every refusal.
import { Client, fetchExchange } from '@urql/core';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

import { email, endpoint, finish, mailedCode, password } from './common.mjs';
import { graphql } from './gql/gql.ts';

let token: string | undefined;
const client = new Client({
  url: endpoint,
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetchOptions: () => (token ? { headers: { authorization: `Bearer ${token}` } } : {}),
});

async function run<Data, Variables extends object>(document: TypedDocumentNode<Data, Variables>, variables: Variables) {
  const { data, error } = await client.mutation<Data, Variables>(document, variables).toPromise();
  if (!data) throw error ?? new Error('no answer');
  return data;
}

const SignUp = graphql(`
  mutation SignUp($input: SignUpInput!) {
    signUp(input: $input) {
      __typename
      ... on SignUpStarted { signUpToken }
      ... on InvalidInput { fields { path reason } }
      ... on UserError { code message }
    }
  }
`);
const CompleteSignUp = graphql(`
  mutation CompleteSignUp($input: CompleteSignUpInput!) {
    completeSignUp(input: $input) {
      __typename
      ... on SessionStarted { token account { id email } }
      ... on UserError { code message }
    }
  }
`);
const CreateApiKey = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      __typename
      ... on ApiKeyCreated { key apiKey { name createdAt } }
      ... on StepUpRequired { methods maxAgeSeconds }
      ... on UserError { code message }
    }
  }
`);

const { signUp } = await run(SignUp, { input: { email, password } });
if (signUp.__typename !== 'SignUpStarted') throw new Error(signUp.__typename);
const code: string = await mailedCode();
const { completeSignUp } = await run(CompleteSignUp, { input: { signUpToken: signUp.signUpToken, code } });
if (completeSignUp.__typename !== 'SessionStarted') throw new Error(`${completeSignUp.code}: ${completeSignUp.message}`);
token = completeSignUp.token;
const { createApiKey } = await run(CreateApiKey, { input: { name: 'codegen' } });
if (createApiKey.__typename !== 'ApiKeyCreated') throw new Error(createApiKey.message);
finish({ key: createApiKey.key, name: createApiKey.apiKey.name });
