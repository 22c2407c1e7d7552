"""No road hands out a session without the enrolled factor: neither those of the schema, nor any way to combine them."""

from collections.abc import Iterable
from itertools import count
from typing import Any, cast

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_required_input_field,
)
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kit.settings import Settings
from schema import schema
from tests.support.authenticator import Authenticator
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.two_factor import (
    BEGIN,
    COMPLETE,
    CONFIRM,
    DISABLE,
    LOG_IN,
    STEP_UP,
)

MUTATIONS = cast("GraphQLObjectType", build_schema(schema.as_str()).mutation_type).fields
FIRST_STEPS = {"logIn", "completeSocialLogin"}
"""Roads of people without a session, to accounts that may have a second factor: they must be able to ask for it."""

OTHER_BEGINNINGS = {"completeSignUp", "completeTwoFactor"}
"""An account that did not exist a moment ago has no second factor, and the other one asks for it."""

PROVED = "{ viewer { twoFactor { enabled } authentication { ... on SessionAuthentication { methods } } } }"
REFRESH = "mutation { refreshSession { __typename ... on SessionStarted { token } ... on UserError { code } } }"
SIGN_OUT = "mutation { signOutEverywhere { __typename ... on SessionStarted { token } ... on UserError { code } } }"
CREATE_KEY = 'mutation { createApiKey(input: {name: "robot"}) { __typename ... on ApiKeyCreated { key } } }'


def outcomes_of(road: str) -> dict[str, GraphQLObjectType]:
    """What a mutation may answer."""
    answer = cast("GraphQLUnionType", get_named_type(MUTATIONS[road].type))
    return {member.name: member for member in answer.types}


def hands_out_a_session(outcome: GraphQLObjectType) -> bool:
    inner = {get_named_type(field.type).name for field in outcome.fields.values()}
    return "SessionStarted" in {outcome.name, *inner}


ROADS = sorted(road for road in MUTATIONS if any(map(hands_out_a_session, outcomes_of(road).values())))
"""All mutations, of whatever feature, that may hand out a session."""

LATER_ROADS = [road for road in ROADS if road not in FIRST_STEPS | OTHER_BEGINNINGS]


def literal(wanted: Any) -> str:
    """Some value of an input type, in GraphQL's own writing."""
    named = get_named_type(wanted)
    if isinstance(named, GraphQLInputObjectType):
        required = ((name, field) for name, field in named.fields.items() if is_required_input_field(field))
        return "{" + ", ".join(f"{name}: {literal(field.type)}" for name, field in required) + "}"
    return '"made up"'


def call(road: str) -> str:
    """A document that calls a mutation with something."""
    arguments = ", ".join(f"{name}: {literal(argument.type)}" for name, argument in MUTATIONS[road].args.items())
    return f"mutation {{ {road}{f'({arguments})' if arguments else ''} {{ __typename ... on UserError {{ code }} }} }}"


def test_roads_are_found() -> None:
    assert {"logIn", "completeTwoFactor", "refreshSession", "stepUp", "disableTwoFactor"} <= set(ROADS)


@pytest.mark.parametrize("road", sorted(FIRST_STEPS & set(ROADS)))
def test_first_step_can_ask_for_the_second(road: str) -> None:
    assert "TwoFactorRequired" in outcomes_of(road)


@pytest.mark.parametrize("road", LATER_ROADS)
async def test_every_other_road_begins_at_a_session(client: GraphQLClient, road: str) -> None:
    answer = await client.run(call(road))

    assert answer.error_codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("road", LATER_ROADS)
async def test_no_road_turns_an_api_key_into_a_session(ann: Person, road: str) -> None:
    key = (await ann.client.run(CREATE_KEY)).expect("ApiKeyCreated")["key"]

    answer = await ann.client.bearing(key).run(call(road))

    assert answer.root["code"] in {"SESSION_REQUIRED", "STEP_UP_REQUIRED", "INVALID_INPUT"}


class Walk:
    """One account and every token that it ever gave. `proved` are those that a second factor earned."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.guest = person.client.bearing(None)
        self.phone: Authenticator | None = None
        self.recovery_codes: list[str] = []
        self.tickets: list[str] = []
        self.tokens = [person.token]
        self.proved: set[str] = set()

    async def step(self, name: str, pick: int) -> None:
        """Do one thing, with one of the tokens or tickets that are there."""
        token = self.tokens[pick % len(self.tokens)]
        ticket = self.tickets[pick % len(self.tickets)] if self.tickets else "none"
        await getattr(self, name)(token, ticket)

    def keep(self, answer: Answer, *, proved: bool) -> None:
        """Note the token that an answer holds, if it does."""
        found = answer.body.get("data") or {}
        for outcome in filter(None, found.values()):
            session = outcome.get("session") or outcome
            if "ticket" in outcome:
                self.tickets.append(outcome["ticket"])
            elif "token" in session:
                self.tokens.append(session["token"])
                self.proved |= {session["token"]} if proved else set()

    async def log_in(self, _token: str, _ticket: str) -> None:
        answer = await self.guest.run(LOG_IN, email=self.person.email, password=self.person.password)
        self.keep(answer, proved=False)

    async def guess(self, _token: str, ticket: str) -> None:
        self.keep(await self.guest.run(COMPLETE, ticket=ticket, code="000000"), proved=False)

    async def use_bearer_as_ticket(self, token: str, _ticket: str) -> None:
        code = self.phone.next_code() if self.phone else "123456"
        self.keep(await self.guest.run(COMPLETE, ticket=token, code=code), proved=False)

    async def use_ticket_as_bearer(self, _token: str, ticket: str) -> None:
        self.keep(await self.guest.bearing(ticket).run(REFRESH), proved=False)

    async def repeat_code(self, _token: str, ticket: str) -> None:
        if self.phone:
            self.keep(await self.guest.run(COMPLETE, ticket=ticket, code=self.phone.next_code()), proved=True)
            self.keep(await self.guest.run(COMPLETE, ticket=ticket, code=self.phone.code()), proved=False)

    async def use_recovery_code(self, _token: str, ticket: str) -> None:
        if self.recovery_codes:
            spent = self.recovery_codes.pop()
            self.keep(await self.guest.run(COMPLETE, ticket=ticket, recoveryCode=spent), proved=True)

    async def refresh(self, token: str, _ticket: str) -> None:
        self.keep(await self.guest.bearing(token).run(REFRESH), proved=token in self.proved)

    async def sign_out_everywhere(self, token: str, _ticket: str) -> None:
        self.keep(await self.guest.bearing(token).run(SIGN_OUT), proved=token in self.proved)

    async def step_up_by_password(self, token: str, _ticket: str) -> None:
        answer = await self.guest.bearing(token).run(STEP_UP, password=self.person.password)
        self.keep(answer, proved=token in self.proved)

    async def step_up_by_code(self, token: str, _ticket: str) -> None:
        if self.phone:
            answer = await self.guest.bearing(token).run(STEP_UP, code=self.phone.next_code())
            self.keep(answer, proved=True)

    async def pair(self, token: str, _ticket: str) -> None:
        client = self.guest.bearing(token)
        pairing = (await client.run(BEGIN)).body.get("data") or {}
        if "qrSvg" in (pairing.get("beginTwoFactorPairing") or {}):
            phone = Authenticator.scanning(pairing["beginTwoFactorPairing"]["qrSvg"])
            confirmed = await client.run(CONFIRM, code=phone.next_code())
            self.phone, self.recovery_codes = phone, confirmed.expect("TwoFactorEnabled")["recoveryCodes"]
            self.keep(confirmed, proved=True)

    async def disable(self, token: str, _ticket: str) -> None:
        self.keep(await self.guest.bearing(token).run(DISABLE, password=self.person.password), proved=False)

    async def intruders(self) -> list[str]:
        """Tokens that open the account while its second factor is on, without having passed it."""
        return [token for token in self.tokens if await self._is_intruder(token)]

    async def _is_intruder(self, token: str) -> bool:
        answer = await self.guest.bearing(token).run(PROVED)
        if answer.status == 401 or not answer.root["twoFactor"]["enabled"]:
            return False
        methods: Iterable[str] = answer.root["authentication"]["methods"]
        return token not in self.proved or {"TOTP", "RECOVERY_CODE"}.isdisjoint(methods)


STEPS = [name for name in vars(Walk) if not name.startswith("_") and name not in {"step", "keep", "intruders"}]
names = count()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Development without limits, so that a walk may go on."""
    return settings.model_copy(update={"rate_limits": False})


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 20)), min_size=3, max_size=10))
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_walk_ends_in_a_session_without_the_enrolled_factor(
    client: GraphQLClient, mailbox: Mailbox, steps: list[tuple[str, int]]
) -> None:
    walk = Walk(await sign_up(client, mailbox, email=f"walker{next(names)}@example.com"))
    await walk.pair(walk.person.token, "")

    for name, pick in steps:
        await walk.step(name, pick)

        assert await walk.intruders() == []
