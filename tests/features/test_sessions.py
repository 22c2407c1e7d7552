"""Sessions: what they open, how they are renewed and ended: SE-2, SE-4 to SE-6."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest

from kit import clock
from kit.settings import Settings
from models import Account, ApiKey, SecurityEvent
from server import Gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import COMPLETE_SIGN_UP, PASSWORD, SIGN_UP, Person
from tests.support.places import visitor
from tests.support.sign_in import (
    AUTHENTICATION,
    REFRESH,
    SIGN_OUT_EVERYWHERE,
    STEP_UP,
    sign_in_again,
    try_password,
)
from tests.support.stored import stored

CREATE = """
mutation {
  createApiKey(input: {name: "k"}) {
    __typename
    ... on ApiKeyCreated { key apiKey { id } }
    ... on StepUpRequired { methods maxAgeSeconds code }
  }
}
"""
ROTATE = "mutation ($id: ID!) { rotateApiKey(input: {id: $id}) { __typename ... on UserError { code } } }"
REPORT = "mutation ($key: Secret!) { reportLeakedApiKey(key: $key) { __typename } }"
WEEK = 604_800


async def test_refreshing_reaches_the_cap_and_no_further(settings: Settings, ann: Person) -> None:
    started = clock.now()
    client, ends = ann.client, []
    while True:
        answer = await client.run(REFRESH)
        if answer.status == 401:
            break
        session = answer.expect("SessionStarted")
        client = client.bearing(session["token"])
        ends.append(datetime.fromisoformat(session["expiresAt"]) - started)
        clock.shift(timedelta(days=6))

    claims = jwt.decode(str(client.token), options={"verify_signature": False})
    assert ends[0] <= timedelta(seconds=WEEK + 1)
    assert ends[-1] <= timedelta(seconds=settings.session_max_age)
    assert ends[-1] > timedelta(seconds=settings.session_max_age - 2)
    assert len(ends) == 5
    assert claims["exp"] - claims["iat"] < WEEK
    assert (await ann.client.run(AUTHENTICATION)).status == 401


async def test_refreshing_keeps_when_and_how_the_person_signed_in(ann: Person) -> None:
    before = (await ann.client.run(AUTHENTICATION)).root["authentication"]
    clock.shift(timedelta(days=3))
    renewed = ann.client.bearing((await ann.client.run(REFRESH)).expect("SessionStarted")["token"])

    after = (await renewed.run(AUTHENTICATION)).root["authentication"]
    assert after["signedInAt"] == before["signedInAt"]
    assert after["methods"] == before["methods"] == ["PASSWORD"]
    assert after["expiresAt"] > before["expiresAt"]
    # A refresh revokes nothing: the older token lives on to its own end.
    assert (await ann.client.run(AUTHENTICATION)).root["authentication"] == before


async def test_key_of_a_program_is_no_session(ann: Person) -> None:
    program = ann.client.bearing((await ann.client.run(CREATE)).expect("ApiKeyCreated")["key"])
    before = await stored()

    answers = [await program.run(REFRESH), await program.run(STEP_UP, password=PASSWORD)]
    answers.append(await program.run(SIGN_OUT_EVERYWHERE))

    assert {answer.expect("Refused")["code"] for answer in answers} == {"SESSION_REQUIRED"}
    assert await stored() == before
    assert (await ann.client.run(AUTHENTICATION)).root["id"] == ann.account_id


@pytest.mark.parametrize("document", [REFRESH, SIGN_OUT_EVERYWHERE, CREATE])
async def test_guest_is_told_to_sign_in(client: GraphQLClient, document: str) -> None:
    answer = await client.run(document)

    assert answer.status == 200
    assert answer.error_codes == ["UNAUTHENTICATED"]
    assert answer.body["data"] is None
    assert set((await stored()).values()) == {0}


async def test_guest_cannot_step_up(client: GraphQLClient) -> None:
    assert (await client.run(STEP_UP, password=PASSWORD)).error_codes == ["UNAUTHENTICATED"]


async def test_every_kind_of_token_is_refused_at_each_others_door(
    ann: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    key = (await ann.client.run(CREATE)).expect("ApiKeyCreated")["key"]
    started = (await client.run(SIGN_UP, email="eve@example.com", password=PASSWORD)).expect("SignUpStarted")
    code = await mailbox.code("eve@example.com")
    before = await stored()

    as_bearer = [await client.bearing(token).run(AUTHENTICATION) for token in (started["signUpToken"], code)]
    as_sign_up = [await client.run(COMPLETE_SIGN_UP, token=token, code=code) for token in (ann.token, key, code)]
    as_key = [await client.run(REPORT, key=token) for token in (ann.token, started["signUpToken"], code)]

    assert [answer.status for answer in as_bearer] == [401, 401]
    assert [answer.root["__typename"] for answer in as_sign_up] == ["InvalidToken"] * 3
    assert [answer.root["__typename"] for answer in as_key] == ["LeakReportReceived"] * 3
    assert await stored() == before
    assert (await ann.client.run(AUTHENTICATION)).root["id"] == ann.account_id
    (await client.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code=code)).expect("SessionStarted")


async def test_signing_out_everywhere_ends_every_other_session_at_once(ann: Person) -> None:
    others = [await sign_in_again(ann) for _ in range(2)]
    new = (await ann.client.run(SIGN_OUT_EVERYWHERE)).expect("SessionStarted")["token"]
    again = await sign_in_again(ann)

    refused = [(await person.client.run(AUTHENTICATION)).status for person in (ann, *others)]
    assert refused == [401, 401, 401]
    # All of it within one second: the generation is a number, not a time.
    assert (await ann.client.bearing(new).run(AUTHENTICATION)).root["id"] == ann.account_id
    assert (await again.client.run(AUTHENTICATION)).root["id"] == ann.account_id
    assert (await Account.get()).generation == 2
    assert await SecurityEvent.filter(kind="SIGNED_OUT_EVERYWHERE").count() == 1


async def test_signing_out_leaves_keys_and_other_people_alone(ann: Person, bob: Person) -> None:
    key = (await ann.client.run(CREATE)).expect("ApiKeyCreated")["key"]

    (await ann.client.run(SIGN_OUT_EVERYWHERE)).expect("SessionStarted")

    assert (await ann.client.bearing(key).run(AUTHENTICATION)).root["id"] == ann.account_id
    assert (await bob.client.run(AUTHENTICATION)).root["id"] == bob.account_id


async def test_sign_outs_that_cross_leave_one_winner(ann: Person) -> None:
    others = [await sign_in_again(ann) for _ in range(5)]

    answers = await asyncio.gather(*(person.client.run(SIGN_OUT_EVERYWHERE) for person in (ann, *others)))

    started = [answer for answer in answers if answer.status == 200 and answer.body["data"]]
    assert len(started) == 1
    assert (await Account.get()).generation == 2
    assert await SecurityEvent.filter(kind="SIGNED_OUT_EVERYWHERE").count() == 1


async def test_nothing_in_one_request_outlives_its_own_sign_out(ann: Person) -> None:
    both = 'mutation { signOutEverywhere { __typename } createApiKey(input: {name: "late"}) { __typename } }'

    answer = await ann.client.run(both)

    assert answer.error_codes == ["UNAUTHENTICATED"]
    assert await ApiKey.all().count() == 0


async def test_session_ends_with_its_account(ann: Person) -> None:
    await Account.all().delete()

    answers = [await ann.client.run(document) for document in (AUTHENTICATION, REFRESH, SIGN_OUT_EVERYWHERE)]

    assert [answer.status for answer in answers] == [401, 401, 401]


@pytest.mark.parametrize(("age", "answered"), [(890, "ApiKeyCreated"), (902, "StepUpRequired")])
async def test_sign_in_is_fresh_for_a_quarter_of_an_hour(ann: Person, age: int, answered: str) -> None:
    clock.shift(timedelta(seconds=age))

    answer = (await ann.client.run(CREATE)).expect(answered)

    assert await ApiKey.all().count() == (answered == "ApiKeyCreated")
    if answered == "StepUpRequired":
        assert (answer["methods"], answer["maxAgeSeconds"]) == (["PASSWORD"], 900)


async def test_refreshing_makes_nothing_fresh_and_stepping_up_does(ann: Person) -> None:
    key = (await ann.client.run(CREATE)).expect("ApiKeyCreated")["apiKey"]["id"]
    clock.shift(timedelta(hours=1))
    renewed = ann.client.bearing((await ann.client.run(REFRESH)).expect("SessionStarted")["token"])
    stale = [await renewed.run(CREATE), await renewed.run(ROTATE, id=key)]
    stepped = renewed.bearing((await renewed.run(STEP_UP, password=PASSWORD)).expect("SessionStarted")["token"])
    fresh = [await stepped.run(CREATE), await stepped.run(ROTATE, id=key)]

    assert [answer.root["__typename"] for answer in stale] == ["StepUpRequired"] * 2
    assert [answer.root["__typename"] for answer in fresh] == ["ApiKeyCreated", "ApiKeyRotated"]
    assert await ApiKey.all().count() == 2
    # Stepping up is a token of one's own: the one that asked is as stale as before.
    (await renewed.run(CREATE)).expect("StepUpRequired")


async def test_wrong_password_steps_nobody_up(ann: Person) -> None:
    clock.shift(timedelta(hours=1))

    wrong = await ann.client.run(STEP_UP, password="not the passphrase")
    without = [await ann.client.run(STEP_UP), await ann.client.run(STEP_UP, password=None)]

    wrong.expect("InvalidCredentials")
    assert {answer.expect("InvalidInput")["fields"][0]["path"] for answer in without} == {"input"}
    (await ann.client.run(CREATE)).expect("StepUpRequired")


async def test_signing_out_makes_a_stale_session_no_fresher(ann: Person) -> None:
    clock.shift(timedelta(hours=1))
    new = (await ann.client.run(SIGN_OUT_EVERYWHERE)).expect("SessionStarted")["token"]

    (await ann.client.bearing(new).run(CREATE)).expect("StepUpRequired")


async def test_good_and_failed_sign_ins_leave_events(gateway: Gateway, ann: Person) -> None:
    guest = visitor(gateway)
    (await try_password(guest, ann.email, "a wrong passphrase")).expect("InvalidCredentials")
    (await try_password(guest, ann.email.upper(), ann.password)).expect("SessionStarted")

    await drained(gateway)
    events = {event.kind: event for event in await SecurityEvent.all()}
    assert events.keys() == {"SIGNED_UP", "SIGN_IN_FAILED", "SIGNED_IN"}
    assert events["SIGN_IN_FAILED"].details == {"reason": "wrong_password"}
    assert events["SIGNED_IN"].details == {"method": "PASSWORD"}
    assert events["SIGN_IN_FAILED"].ip_address == events["SIGNED_IN"].ip_address == "203.0.113.66"


async def drained(gateway: Gateway) -> None:
    services: Any = gateway._services
    await services.in_background.__self__.drain()
