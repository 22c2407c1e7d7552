"""Session tokens and what they open: SE-1 to SE-6."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
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

Forge = Callable[[str], str]


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def with_header(**changes: Any) -> Forge:
    """The token under another header, its signature as it was."""

    def forge(token: str) -> str:
        header, payload, signature = token.split(".")
        return f"{encoded(json.dumps(decoded(header) | changes, separators=(',', ':')).encode())}.{payload}.{signature}"

    return forge


def with_claims(**changes: Any) -> Forge:
    def forge(token: str) -> str:
        header, payload, signature = token.split(".")
        return f"{header}.{encoded(json.dumps(decoded(payload) | changes, separators=(',', ':')).encode())}.{signature}"

    return forge


def signed_with(key: bytes, **header: Any) -> Forge:
    """Whole tokens of somebody else's making, with claims that would do."""

    def forge(token: str) -> str:
        head = encoded(json.dumps(decoded(token.split(".", maxsplit=1)[0]) | header, separators=(",", ":")).encode())
        signed = f"{head}.{token.split('.')[1]}"
        return f"{signed}.{encoded(hmac.digest(key, signed.encode(), hashlib.sha256))}"

    return forge


FORGERIES: dict[str, Forge] = {
    "algorithm none": with_header(alg="none"),
    "algorithm none without a signature": lambda token: with_header(alg="none")(token).rpartition(".")[0] + ".",
    "algorithm NonE": lambda token: with_header(alg="NonE")(token).rpartition(".")[0] + ".",
    "another digest": with_header(alg="HS512"),
    "an asymmetric algorithm": with_header(alg="RS256"),
    "unknown key id": with_header(kid="00000000"),
    "key id that is a path": with_header(kid="../../../../dev/null"),
    "key id that is a query": with_header(kid="' UNION SELECT 'key"),
    "no key id": with_header(kid=None),
    "another type": with_header(typ="JWT"),
    "key by address": with_header(jku="https://evil.test/keys.json"),
    "key in the header": with_header(jwk={"kty": "oct", "k": "AAAA"}),
    "certificate by address": with_header(x5u="https://evil.test/cert.pem"),
    "certificate in the header": with_header(x5c=["MIIB"]),
    "critical extension": with_header(crit=["exp"]),
    "unencoded payload": with_header(b64=False, crit=["b64"]),
    "empty signature": lambda token: token.rpartition(".")[0] + ".",
    "no signature": lambda token: token.rpartition(".")[0],
    "cut signature": lambda token: token[:-1],
    "padded signature": lambda token: token + "=",
    "four parts": lambda token: token + ".AAAA",
    "signed with no key": signed_with(b""),
    "signed with a guessed key": signed_with(b"secret"),
    "signed with the key id": lambda token: signed_with(decoded(token.split(".")[0])["kid"].encode())(token),
    "another account": with_claims(sub="018f0000-0000-7000-8000-000000000000"),
    "a higher generation": with_claims(gen=2),
    "a later end": with_claims(exp=4_000_000_000),
    "a fresher sign-in": with_claims(auth_time=4_000_000_000),
    "claims twice": lambda token: token.replace(
        token.split(".")[1],
        encoded(json.dumps(decoded(token.split(".")[1]))[:-1].encode() + b',"gen":2}'),
    ),
    "in capitals": str.upper,
    "nested": lambda token: f"{encoded(b'{}')}.{encoded(token.encode())}.{token.rpartition('.')[2]}",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
async def test_forged_token_opens_nothing(ann: Person, forge: Forge) -> None:
    before = await stored()

    answers = [
        await ann.client.bearing(forge(ann.token)).run(document) for document in (AUTHENTICATION, SIGN_OUT_EVERYWHERE)
    ]

    for answer in answers:
        assert answer.status == 401
        assert answer.error_codes == ["UNAUTHENTICATED"]
        assert answer.response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert "data" not in answer.body
    assert len({answer.response.content for answer in answers}) == 1
    assert await stored() == before
    assert (await ann.client.run(AUTHENTICATION)).root["id"] == ann.account_id


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YW5uOnBhc3N3b3Jk",
        "Token {token}",
        "{token}",
        "Bearer {token}, Bearer {token}",
        "Bearer\t{token}",
        "Bearer x {token}",
    ],
)
async def test_other_ways_to_send_a_token_are_bad_ones(ann: Person, http: httpx.AsyncClient, header: str) -> None:
    answer = await ann.client.bearing(None).run(
        AUTHENTICATION, headers={"authorization": header.format(token=ann.token)}
    )

    assert answer.status == 401
    assert answer.error_codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("blank", [b"\xa0", b"\x85", b"\x1f"])
async def test_token_has_one_spelling_blanks_included(ann: Person, http: httpx.AsyncClient, blank: bytes) -> None:
    bearer = b"Bearer " + ann.token.encode()

    answers = [
        await http.post("/graphql", json={"query": AUTHENTICATION}, headers=[(b"authorization", header)])
        for header in (bearer, bearer + blank, bearer.replace(b" ", b" " + blank))
    ]

    assert [answer.status_code for answer in answers] == [200, 401, 401]


async def test_token_in_address_or_cookie_is_nobody(ann: Person, http: httpx.AsyncClient) -> None:
    query = {"query": "{ viewer { id } }", "access_token": ann.token, "token": ann.token, "authorization": ann.token}
    by_query = await http.get("/graphql", params=query, headers={"accept": "application/json"})
    by_cookie = await ann.client.bearing(None).run(
        "{ viewer { id } }", headers={"cookie": f"token={ann.token}; session={ann.token}; Authorization={ann.token}"}
    )

    assert by_query.json() == by_cookie.body == {"data": {"viewer": None}}
    assert "set-cookie" not in by_cookie.response.headers


async def test_token_says_seven_days_and_ends_on_the_second(ann: Person) -> None:
    claims = jwt.decode(ann.token, options={"verify_signature": False})
    clock.shift(timedelta(seconds=claims["exp"] - 1 - clock.now().timestamp()))
    just_before = await ann.client.run(AUTHENTICATION)
    clock.shift(timedelta(seconds=1))
    at_the_end = await ann.client.run(AUTHENTICATION)

    assert claims["exp"] - claims["iat"] == WEEK
    assert {"iss", "aud", "nbf", "sub"} <= claims.keys()
    assert "jti" not in claims
    assert just_before.root["id"] == ann.account_id
    assert at_the_end.status == 401


async def test_token_from_the_future_is_refused(ann: Person) -> None:
    clock.shift(timedelta(seconds=-5))

    assert (await ann.client.run(AUTHENTICATION)).status == 401


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
