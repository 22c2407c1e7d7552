// What the Relay compiler reads. Its artifacts are what runs: a bundler's plugin would put them in the place of these.
import { graphql } from 'relay-runtime';

graphql`
  mutation documentsSignUpMutation($input: SignUpInput!) {
    signUp(input: $input) {
      __typename
      ... on SignUpStarted { signUpToken }
      ... on UserError { code message }
    }
  }
`;

graphql`
  mutation documentsCompleteSignUpMutation($input: CompleteSignUpInput!) {
    completeSignUp(input: $input) {
      __typename
      ... on SessionStarted { token account { id email } }
      ... on UserError { code message }
    }
  }
`;

graphql`
  mutation documentsCreateApiKeyMutation($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      __typename
      ... on ApiKeyCreated { key apiKey { id name } }
      ... on UserError { code message }
    }
  }
`;

graphql`
  query documentsKeysQuery($first: Int, $after: String) {
    viewer { ...documents_keys @arguments(first: $first, after: $after) }
  }
`;

graphql`
  fragment documents_keys on Account
  @argumentDefinitions(first: { type: "Int", defaultValue: 1 }, after: { type: "String" })
  @refetchable(queryName: "documentsMoreKeysQuery") {
    email
    apiKeys(first: $first, after: $after) @connection(key: "documents_keys_apiKeys") {
      edges { node { id name } }
    }
  }
`;
