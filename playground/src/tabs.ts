/**
 * Every operation that the playground can open, in the order of the walk.
 *
 * A value `{name}` in `variables` or `headers` is filled from earlier answers: `{signUpToken}` from any field of that
 * name, `{apiKey.id}` from the field `id` of a field `apiKey`. `{mailedCode}` comes from the mail pane.
 */
export interface Tab {
  group: string;
  title: string;
  /** Said above the document: what it does, and what to do before or after. */
  about: string;
  document: string;
  variables?: object;
  headers?: object;
}

export function operationOf(tab: Tab): string {
  return /(?:query|mutation|subscription) (\w+)/.exec(tab.document)?.[1] ?? "";
}

export const TABS: readonly Tab[] = [
  {
    group: "From sign-up to API key",
    title: "Sign up",
    about: "A six-digit code goes to this address. Press the play button, then look at the mails.",
    document: `mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) {
    __typename
    ... on SignUpStarted { email signUpToken expiresAt }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}`,
    variables: { input: { email: "ada@example.com", password: "Seven herons cross the weir" } },
  },
  {
    group: "From sign-up to API key",
    title: "Complete sign-up",
    about: "Takes the mailed code (“Use it” fills it in) and signs in: the session is kept for the next tabs.",
    document: `mutation CompleteSignUp($input: CompleteSignUpInput!) {
  completeSignUp(input: $input) {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on UserError { code message }
  }
}`,
    variables: { input: { signUpToken: "{signUpToken}", code: "{mailedCode}" } },
  },
  {
    group: "From sign-up to API key",
    title: "Sign in",
    about: "For the next time, with the address and the password of the sign-up.",
    document: `mutation LogIn($input: LogInInput!) {
  logIn(input: $input) {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on TwoFactorRequired { ticket expiresAt methods }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { input: { email: "{signUp.email}", password: "Seven herons cross the weir" } },
  },
  {
    group: "From sign-up to API key",
    title: "Make an API key",
    about: "The key is in this answer and never again. It needs a sign-in of the last minutes: else step up first.",
    document: `mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    __typename
    ... on ApiKeyCreated { key apiKey { id name hint createdAt expiresAt } }
    ... on InvalidInput { fields { path reason } }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}`,
    variables: { input: { name: "First key", description: "Made in the playground" } },
  },
  {
    group: "From sign-up to API key",
    title: "Read with the key",
    about: "The same API, with the key as the bearer: see Headers below, which win over the session.",
    document: `query ReadWithApiKey {
  viewer {
    email
    authentication {
      __typename
      ... on ApiKeyAuthentication { apiKey { id name hint lastUsedAt } }
      ... on SessionAuthentication { signedInAt expiresAt methods }
    }
  }
}`,
    headers: { Authorization: "Bearer {key}" },
  },
  {
    group: "From sign-up to API key",
    title: "Revoke the key",
    about: "Bites on the next request: run “ReadWithApiKey” again afterwards, and see it refused.",
    document: `mutation RevokeApiKeys($ids: [ID!]!) {
  revokeApiKeys(ids: $ids) {
    __typename
    ... on ApiKeysRevoked { ids account { apiKeys { totalCount } } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}`,
    variables: { ids: ["{apiKey.id}"] },
  },

  {
    group: "Session",
    title: "Who am I?",
    about: "The account behind the session, its keys, and what happened to it.",
    document: `query Viewer {
  viewer {
    id
    email
    createdAt
    authentication {
      ... on SessionAuthentication { signedInAt expiresAt methods }
    }
    apiKeys(first: 10) {
      totalCount
      nodes { id name hint lastUsedAt expiresAt }
    }
    securityEvents(first: 10) {
      nodes { kind at ipAddress details }
    }
  }
}`,
  },
  {
    group: "Session",
    title: "What is offered here",
    about: "What a sign-up form needs to draw itself.",
    document: `query SignInOptions {
  signInOptions {
    socialProviders
    passwordMinLength
    passwordMaxLength
    verifiedAuthenticatorApps { name url }
    privacyPolicyUrl
  }
}`,
  },
  {
    group: "Session",
    title: "Step up",
    about: "Proves again who is calling, so that sensitive changes are open for some minutes.",
    document: `mutation StepUp($input: StepUpInput!) {
  stepUp(input: $input) {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { input: { password: "Seven herons cross the weir" } },
  },
  {
    group: "Session",
    title: "Refresh the session",
    about: "A fresh seven-day token for a valid one.",
    document: `mutation RefreshSession {
  refreshSession {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on UserError { code message }
  }
}`,
  },
  {
    group: "Session",
    title: "Sign out everywhere",
    about: "Ends every session of the account, and answers with one new session for this page.",
    document: `mutation SignOutEverywhere {
  signOutEverywhere {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on UserError { code message }
  }
}`,
  },

  {
    group: "API keys",
    title: "Rename a key",
    about: "Changes the name, the description, or both.",
    document: `mutation RenameApiKey($input: RenameApiKeyInput!) {
  renameApiKey(input: $input) {
    __typename
    ... on ApiKeyUpdated { apiKey { id name description } }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}`,
    variables: { input: { id: "{apiKey.id}", name: "Weather station" } },
  },
  {
    group: "API keys",
    title: "Rotate a key",
    about: "A new secret for the same key; the former one goes on working for the overlap.",
    document: `mutation RotateApiKey($input: RotateApiKeyInput!) {
  rotateApiKey(input: $input) {
    __typename
    ... on ApiKeyRotated { key apiKey { id name hint } previousKeyEndsAt }
    ... on InvalidInput { fields { path reason } }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}`,
    variables: { input: { id: "{apiKey.id}", overlapSeconds: 3600 } },
  },
  {
    group: "API keys",
    title: "Report a leaked key",
    about: "Revokes the key, whoever calls, and tells its owner by mail. Needs no sign-in.",
    document: `mutation ReportLeakedApiKey($key: Secret!) {
  reportLeakedApiKey(key: $key) {
    __typename
    ... on LeakReportReceived { received }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { key: "{key}" },
  },

  {
    group: "Password and address",
    title: "Ask for a reset mail",
    about: "Answers the same for every address. The link in the mail opens the next tab.",
    document: `mutation RequestPasswordReset($email: EmailAddress!) {
  requestPasswordReset(email: $email) {
    __typename
    ... on MailSentIfKnown { email }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { email: "{signUp.email}" },
  },
  {
    group: "Password and address",
    title: "Reset the password",
    about: "Takes the token of the mailed link, ends all sessions, and does not sign in.",
    document: `mutation ResetPassword($input: ResetPasswordInput!) {
  resetPassword(input: $input) {
    __typename
    ... on PasswordReset { email }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { input: { token: "{resetToken}", newPassword: "Nine otters under the bridge" } },
  },
  {
    group: "Password and address",
    title: "Change the password",
    about: "Ends all other sessions; this page gets a new one.",
    document: `mutation ChangePassword($input: ChangePasswordInput!) {
  changePassword(input: $input) {
    __typename
    ... on AccountSecured { account { id } session { token expiresAt } }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: {
      input: { currentPassword: "Seven herons cross the weir", newPassword: "Nine otters under the bridge" },
    },
  },
  {
    group: "Password and address",
    title: "Set a first password",
    about: "For an account made by social login.",
    document: `mutation SetPassword($newPassword: Secret!) {
  setPassword(newPassword: $newPassword) {
    __typename
    ... on AccountSecured { account { id hasPassword } session { token expiresAt } }
    ... on InvalidInput { fields { path reason } }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { newPassword: "Nine otters under the bridge" },
  },
  {
    group: "Password and address",
    title: "Change the address",
    about: "Mails a code to the new address; the next tab takes it.",
    document: `mutation RequestEmailChange($newEmail: EmailAddress!) {
  requestEmailChange(newEmail: $newEmail) {
    __typename
    ... on EmailChangeStarted { newEmail expiresAt }
    ... on InvalidInput { fields { path reason } }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { newEmail: "ada.lovelace@example.com" },
  },
  {
    group: "Password and address",
    title: "Confirm the address",
    about: "Takes the code that was mailed to the new address. All other sessions end.",
    document: `mutation ConfirmEmailChange($code: Secret!) {
  confirmEmailChange(code: $code) {
    __typename
    ... on AccountSecured { account { id email } session { token expiresAt } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { code: "{mailedCode}" },
  },

  {
    group: "Two-factor authentication",
    title: "Pair an authenticator app",
    about: "The QR code is drawn below the answer. Nothing is switched on yet.",
    document: `mutation BeginTwoFactorPairing {
  beginTwoFactorPairing {
    __typename
    ... on TwoFactorPairing { qrSvg manualEntryKey otpauthUri expiresAt }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on UserError { code message }
  }
}`,
  },
  {
    group: "Two-factor authentication",
    title: "Confirm the pairing",
    about: "Takes a code from the app. The recovery codes are shown here and never again.",
    document: `mutation ConfirmTwoFactorPairing($code: String!) {
  confirmTwoFactorPairing(code: $code) {
    __typename
    ... on TwoFactorEnabled { recoveryCodes session { token expiresAt } }
    ... on InvalidCode { clockSkewSeconds }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { code: "" },
  },
  {
    group: "Two-factor authentication",
    title: "Second step of a sign-in",
    about: "Takes the ticket of the first step with a code from the app, or with recoveryCode instead of code.",
    document: `mutation CompleteTwoFactor($input: CompleteTwoFactorInput!) {
  completeTwoFactor(input: $input) {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on InvalidCode { clockSkewSeconds }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { input: { ticket: "{ticket}", code: "" } },
  },
  {
    group: "Two-factor authentication",
    title: "New recovery codes",
    about: "The old ones stop working.",
    document: `mutation RegenerateRecoveryCodes {
  regenerateRecoveryCodes {
    __typename
    ... on RecoveryCodes { recoveryCodes }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on UserError { code message }
  }
}`,
  },
  {
    group: "Two-factor authentication",
    title: "Switch it off",
    about: "Needs the password, and a session that passed the second factor.",
    document: `mutation DisableTwoFactor($password: Secret!) {
  disableTwoFactor(password: $password) {
    __typename
    ... on AccountSecured { account { id } session { token expiresAt } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { password: "Seven herons cross the weir" },
  },

  {
    group: "Social login",
    title: "Begin a social login",
    about: "The link below the answer goes to the provider, which sends the browser back to this page.",
    document: `mutation BeginSocialLogin($input: BeginSocialLoginInput!) {
  beginSocialLogin(input: $input) {
    __typename
    ... on SocialLoginStarted { authorizationUrl handle state expiresAt }
    ... on InvalidInput { fields { path reason } }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { input: { provider: "GITHUB", redirectUri: `${window.location.origin}/graphql`, link: false } },
  },
  {
    group: "Social login",
    title: "Complete the social login",
    about: "Takes what the provider sent back, with the handle that this page kept.",
    document: `mutation CompleteSocialLogin($input: CompleteSocialLoginInput!) {
  completeSocialLogin(input: $input) {
    __typename
    ... on SessionStarted { token expiresAt account { id email } }
    ... on TwoFactorRequired { ticket expiresAt methods }
    ... on SocialIdentityLinked { identity { id provider displayName } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { input: { handle: "{handle}", state: "{state}", code: "{providerCode}" } },
  },
  {
    group: "Social login",
    title: "Unlink an identity",
    about: "Refused for the last way in.",
    document: `mutation UnlinkSocialIdentity($id: ID!) {
  unlinkSocialIdentity(id: $id) {
    __typename
    ... on AccountUpdated { account { socialIdentities { id provider displayName } } }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { id: "{identity.id}" },
  },

  {
    group: "Fleets",
    title: "Make a fleet",
    about: "Its id is filled into the next tabs.",
    document: `mutation CreateFleet($name: String!) {
  createFleet(name: $name) {
    __typename
    ... on FleetChanged { fleet { id name viewerRole } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}`,
    variables: { name: "River gauges" },
  },
  {
    group: "Fleets",
    title: "Add a device",
    about: "The device's uuid is made up if left out.",
    document: `mutation AddDevice($input: AddDeviceInput!) {
  addDevice(input: $input) {
    __typename
    ... on DeviceChanged { device { id uuid name createdAt } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on UserError { code message }
  }
}`,
    variables: { input: { fleetId: "{fleet.id}", name: "Gauge at the weir" } },
  },
  {
    group: "Fleets",
    title: "Invite a member",
    about: "The link in the mail opens the next tab. The person needs an account with the invited address.",
    document: `mutation InviteFleetMember($input: InviteFleetMemberInput!) {
  inviteFleetMember(input: $input) {
    __typename
    ... on InvitationSent { invitation { id email role expiresAt } }
    ... on InvalidInput { fields { path reason } }
    ... on LimitReached { limit }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { input: { fleetId: "{fleet.id}", email: "grace@example.com", role: "OPERATOR" } },
  },
  {
    group: "Fleets",
    title: "Look at an invitation",
    about: "What the link offers, for the person who holds it.",
    document: `query FleetInvitation($token: Secret!) {
  fleetInvitation(token: $token) { fleetName role email invitedBy expiresAt }
}`,
    variables: { token: "{invitationToken}" },
  },
  {
    group: "Fleets",
    title: "Accept an invitation",
    about: "Sign in with the invited address first.",
    document: `mutation AcceptFleetInvitation($token: Secret!) {
  acceptFleetInvitation(token: $token) {
    __typename
    ... on MemberChanged { member { id role fleet { id name } } }
    ... on UserError { code message }
  }
}`,
    variables: { token: "{invitationToken}" },
  },
  {
    group: "Fleets",
    title: "Look at a fleet",
    about: "Its members and devices.",
    document: `query Fleet($id: ID!) {
  fleet(id: $id) {
    id
    name
    viewerRole
    members(first: 10) { totalCount nodes { id email role joinedAt } }
    devices(first: 10) { totalCount nodes { id uuid name } }
  }
}`,
    variables: { id: "{fleet.id}" },
  },

  {
    group: "The account as a whole",
    title: "Export the data",
    about: "All that is stored about the account, without secrets.",
    document: `mutation ExportAccountData {
  exportAccountData {
    __typename
    ... on AccountDataExport { generatedAt data }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
  },
  {
    group: "The account as a whole",
    title: "Before deleting it",
    about: "What a deletion would remove.",
    document: `query DeletionPlan {
  viewer {
    deletionPlan { fleets devices apiKeys membersAffected membershipsLeft }
  }
}`,
  },
  {
    group: "The account as a whole",
    title: "Delete the account",
    about: "For good: fill in the password yourself.",
    document: `mutation DeleteAccount($password: Secret!) {
  deleteAccount(password: $password) {
    __typename
    ... on AccountDeleted { email deletedAt removed { fleets devices apiKeys } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}`,
    variables: { password: "" },
  },

  {
    group: "Live",
    title: "Watch security events",
    about: "Stays open until you press stop: what happens to the account, as it happens.",
    document: `subscription SecurityEvents {
  securityEvents { id kind at ipAddress details }
}`,
  },
];
