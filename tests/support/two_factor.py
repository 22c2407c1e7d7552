"""People with two-factor authentication on, paired through the front door."""

from dataclasses import dataclass, replace
from typing import Any

from tests.support.authenticator import Authenticator, begin_step
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.people import Person

BEGIN = """
mutation {
  beginTwoFactorPairing {
    __typename
    ... on TwoFactorPairing { qrSvg manualEntryKey otpauthUri expiresAt }
    ... on StepUpRequired { methods maxAgeSeconds }
    ... on UserError { code message }
  }
}
"""
CONFIRM = """
mutation ($code: String!) {
  confirmTwoFactorPairing(code: $code) {
    __typename
    ... on TwoFactorEnabled {
      recoveryCodes
      session { token account { twoFactor { enabled enabledAt recoveryCodesRemaining } } }
    }
    ... on InvalidCode { clockSkewSeconds }
    ... on UserError { code message }
  }
}
"""
LOG_IN = """
mutation ($email: EmailAddress!, $password: Secret!) {
  logIn(input: {email: $email, password: $password}) {
    __typename
    ... on SessionStarted { token }
    ... on TwoFactorRequired { ticket expiresAt methods }
    ... on UserError { code message }
  }
}
"""
COMPLETE = """
mutation ($ticket: Secret!, $code: String, $recoveryCode: Secret) {
  completeTwoFactor(input: {ticket: $ticket, code: $code, recoveryCode: $recoveryCode}) {
    __typename
    ... on SessionStarted { token account { id authentication { ... on SessionAuthentication { methods } } } }
    ... on InvalidCode { clockSkewSeconds }
    ... on InvalidInput { fields { path reason } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
STEP_UP = """
mutation ($password: Secret, $code: String, $recoveryCode: Secret) {
  stepUp(input: {password: $password, code: $code, recoveryCode: $recoveryCode}) {
    __typename
    ... on SessionStarted { token account { authentication { ... on SessionAuthentication { methods } } } }
    ... on InvalidCode { clockSkewSeconds }
    ... on InvalidInput { fields { path reason } }
    ... on UserError { code message }
  }
}
"""
REGENERATE = """
mutation {
  regenerateRecoveryCodes {
    __typename
    ... on RecoveryCodes { recoveryCodes }
    ... on StepUpRequired { methods }
    ... on UserError { code message }
  }
}
"""
DISABLE = """
mutation ($password: Secret!) {
  disableTwoFactor(password: $password) {
    __typename
    ... on AccountSecured { account { twoFactor { enabled recoveryCodesRemaining } } session { token } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
STATUS = """
{
  viewer {
    twoFactor { enabled enabledAt recoveryCodesRemaining }
    authentication { ... on SessionAuthentication { methods } }
    securityEvents { nodes { kind details } }
  }
}
"""


@dataclass(frozen=True)
class GuardedPerson:
    """Somebody with two-factor authentication on: the person with the session of the pairing, and what they keep."""

    person: Person
    phone: Authenticator
    recovery_codes: list[str]

    @property
    def guest(self) -> GraphQLClient:
        """The same client without a session."""
        return self.person.client.bearing(None)

    async def first_step(self) -> dict[str, Any]:
        """Take the first step of a sign-in, and stop there."""
        answer = await self.guest.run(LOG_IN, email=self.person.email, password=self.person.password)
        return answer.expect("TwoFactorRequired")

    async def ticket(self) -> str:
        """What the first step gave."""
        ticket: str = (await self.first_step())["ticket"]
        return ticket

    async def complete(self, *, ticket: str | None = None, **proof: Any) -> Answer:
        """Take the second step."""
        return await self.guest.run(COMPLETE, ticket=ticket or await self.ticket(), **proof)

    async def sign_in(self) -> GraphQLClient:
        """Take both steps, with a code of the phone."""
        session = (await self.complete(code=self.phone.next_code())).expect("SessionStarted")
        return self.guest.bearing(session["token"])


async def pair(person: Person) -> Authenticator:
    """Begin a pairing at the start of a time step, and scan its picture."""
    begin_step()
    pairing = (await person.client.run(BEGIN)).expect("TwoFactorPairing")
    return Authenticator.scanning(pairing["qrSvg"])


async def enable_two_factor(person: Person) -> GuardedPerson:
    """Pair a phone and confirm it. The present time step is spent by that."""
    phone = await pair(person)
    return guarded(person, phone, await person.client.run(CONFIRM, code=phone.code()))


def guarded(person: Person, phone: Authenticator, confirmed: Answer) -> GuardedPerson:
    """What the person is after the pairing was confirmed."""
    enabled = confirmed.expect("TwoFactorEnabled")
    token = enabled["session"]["token"]
    renewed = replace(person, token=token, client=person.client.bearing(token))
    return GuardedPerson(renewed, phone, enabled["recoveryCodes"])


def kinds(status: dict[str, Any]) -> list[str]:
    """What happened to the account, newest first."""
    return [event["kind"] for event in status["securityEvents"]["nodes"]]
