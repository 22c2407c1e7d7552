"""Whatever is done in whatever order with two identities and a password, an account keeps a way in."""

import httpx
import pytest

from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, Person, sign_up
from tests.support.social import UNLINK, Approve, demo_person, me, sign_in

PROVIDERS = ("GOOGLE", "GITHUB")
STEPS = [f"{verb} {provider}" for verb in ("link", "unlink") for provider in PROVIDERS]
LOG_IN = """
mutation ($email: EmailAddress!, $password: Secret!) {
  logIn(input: {email: $email, password: $password}) { __typename }
}
"""

SET_PASSWORD = """
mutation ($newPassword: Secret!) {
  setPassword(newPassword: $newPassword) {
    __typename
    ... on AccountSecured { session { token } }
    ... on UserError { code message }
  }
}
"""


class Somebody:
    """An account, and what must be true of it: which ways lead in."""

    def __init__(self, client: GraphQLClient, http: httpx.AsyncClient, email: str, person: Person | None) -> None:
        self.guest = client
        self.email = email
        self.password = person.password if person else None
        self.client = person.client if person else client
        self.linked: set[str] = set()
        # Each provider knows the person by an address of its own, so that nothing but the subject fits.
        self.approve: dict[str, Approve] = {
            provider: demo_person(http, email if provider == "GOOGLE" else f"other-{email}") for provider in PROVIDERS
        }

    async def sign_up_at_google(self) -> None:
        session = (await sign_in(self.guest, self.approve["GOOGLE"])).expect("SessionStarted")
        self.client = self.guest.bearing(session["token"])
        self.linked = {"GOOGLE"}

    async def set_password(self) -> None:
        """Add one, and see that there is never a second first one."""
        secured = (await self.client.run(SET_PASSWORD, newPassword=PASSWORD)).expect("AccountSecured")
        self.client = self.guest.bearing(secured["session"]["token"])
        self.password = PASSWORD
        again = (await self.client.run(SET_PASSWORD, newPassword=f"{PASSWORD} again")).expect("Refused")
        assert again["code"] == "PASSWORD_ALREADY_SET"

    async def take(self, step: str) -> None:
        """Do it, and see that it is refused exactly where it must be."""
        verb, provider = step.split()
        if verb == "link":
            (await sign_in(self.client, self.approve[provider], provider, link=True)).expect("SocialIdentityLinked")
            self.linked.add(provider)
            return
        answer = (await self._unlink(provider)).root
        if provider not in self.linked:
            assert answer["__typename"] == "NotFound"
        elif self.password is None and len(self.linked) == 1:
            assert answer["code"] == "LAST_WAY_IN"
        else:
            assert answer["__typename"] == "AccountUpdated"
            self.linked.discard(provider)

    async def _unlink(self, provider: str) -> Answer:
        identities = (await me(self.client))["socialIdentities"]
        mine = [identity["id"] for identity in identities if identity["provider"] == provider]
        return await self.client.run(UNLINK, id=mine[0] if mine else "identity_none")

    async def ways_in(self) -> set[str]:
        """The ways that really open this account, tried one by one."""
        account = await me(self.client)
        assert {identity["provider"] for identity in account["socialIdentities"]} == self.linked
        ways = set()
        for provider in self.linked:
            session = (await sign_in(self.guest, self.approve[provider], provider)).expect("SessionStarted")
            assert session["account"]["id"] == account["id"]
            ways.add(provider)
        if self.password:
            answer = await self.guest.run(LOG_IN, email=self.email, password=self.password)
            ways |= {"PASSWORD"} if answer.root["__typename"] == "SessionStarted" else set()
        return ways


def walk_through_all_triples() -> list[str]:
    """Steps in which every three of them follow one another somewhere.

    Two steps lead from any set of linked identities to any other, so that the third is taken in every one of them.
    """
    walk, seen = list(STEPS[:1] * 2), set[tuple[str, ...]]()
    while following := [step for step in reversed(STEPS) if (*walk[-2:], step) not in seen]:
        seen.add((*walk[-2:], following[0]))
        walk.append(following[0])
    assert len(seen) == len(STEPS) ** 3
    return walk


@pytest.mark.parametrize("begins_with", ["password", "identity", "identity, then a password"])
async def test_account_always_keeps_a_way_in(
    client: GraphQLClient, http: httpx.AsyncClient, mailbox: Mailbox, begins_with: str
) -> None:
    email = "way@example.com"
    person = await sign_up(client, mailbox, email=email) if begins_with == "password" else None
    somebody = Somebody(client, http, email, person)
    if person is None:
        await somebody.sign_up_at_google()
    if begins_with.endswith("then a password"):
        await somebody.set_password()

    for step in walk_through_all_triples():
        await somebody.take(step)

        assert await somebody.ways_in()
