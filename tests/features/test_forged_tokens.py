"""Tokens that are not ours, or come in a way that is not taken (SE-1, SE-3)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from kit import clock
from tests.support.people import Person
from tests.support.sign_in import (
    AUTHENTICATION,
    SIGN_OUT_EVERYWHERE,
)
from tests.support.stored import stored

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


WEEK = 604_800


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
