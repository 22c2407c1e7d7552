"""What of an ID token is checked, by tokens in which one thing is wrong."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.support.graphql_client import GraphQLClient
from tests.support.openid_double import CLIENT_SECRET, OpenIdDouble
from tests.support.social import refusal, sign_in

sqlite_only = pytest.mark.parametrize("database_source", ["sqlite"], indirect=True)
"""For what never comes as far as the database."""

LONG_AGO = 1_000_000_000


@pytest.fixture
def google_issuer(openid: OpenIdDouble) -> str:
    return openid.url


@sqlite_only
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://accounts.evil.example"},
        {"iss": None},
        {"iss": ["https://accounts.evil.example"]},
        {"aud": "another client"},
        {"aud": None},
        {"aud": []},
        {"aud": ["gatehouse-at-google", "another client"]},
        {"azp": "another client"},
        {"exp": LONG_AGO},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"iat": None},
        {"iat": 32_503_680_000},
        {"nbf": 32_503_680_000},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": ["a"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 1001},
        {"sub": "x" * 256},
        {"sub": "a\u0000b"},
    ],
    ids=str,
)
async def test_id_token_with_a_wrong_claim_is_refused(
    client: GraphQLClient, openid: OpenIdDouble, claims: dict[str, object]
) -> None:
    openid.claims = claims

    assert await refusal(client, openid.approve) == "PROVIDER_REFUSED"


@sqlite_only
async def test_id_token_that_just_expired_is_refused(client: GraphQLClient, openid: OpenIdDouble) -> None:
    openid.claims = {"exp": int(time.time())}

    assert await refusal(client, openid.approve) == "PROVIDER_REFUSED"


async def test_id_token_s_audience_may_stand_in_a_list(client: GraphQLClient, openid: OpenIdDouble) -> None:
    openid.claims = {"aud": ["gatehouse-at-google"], "azp": "gatehouse-at-google"}

    (await sign_in(client, openid.approve)).expect("SessionStarted")


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unsigned(_: OpenIdDouble, claims: dict[str, Any]) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def under_another_key(double: OpenIdDouble, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES256", "kid": double.key.kid}, claims, ECKey.generate_key("P-256"))


def under_an_unpublished_key(_: OpenIdDouble, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES256", "kid": "unpublished"}, claims, ECKey.generate_key("P-256"))


def _under_a_shared_key(double: OpenIdDouble, claims: dict[str, Any], key: bytes) -> str:
    signed = f"{_part({'alg': 'HS256', 'kid': double.key.kid})}.{_part(claims)}"
    mac = hmac.digest(key, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def under_the_client_secret(double: OpenIdDouble, claims: dict[str, Any]) -> str:
    return _under_a_shared_key(double, claims, CLIENT_SECRET.encode())


def with_the_public_key_as_secret(double: OpenIdDouble, claims: dict[str, Any]) -> str:
    """Confuses an asymmetric key with a shared one (CVE-2016-10555 in kind)."""
    return _under_a_shared_key(double, claims, double.key.as_pem(private=False))


def with_a_key_in_its_header(double: OpenIdDouble, claims: dict[str, Any]) -> str:
    own = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "kid": double.key.kid, "jwk": own.as_dict(private=False)}
    return jwt.encode(header, claims, own)


def changed_afterwards(double: OpenIdDouble, claims: dict[str, Any]) -> str:
    header, _, signature = double.signed(claims).split(".")
    return f"{header}.{_part(claims | {'sub': '1'})}.{signature}"


def without_a_signature(double: OpenIdDouble, claims: dict[str, Any]) -> str:
    return double.signed(claims).rpartition(".")[0] + "."


def no_token_at_all(_double: OpenIdDouble, _claims: dict[str, Any]) -> str:
    return "..."


def nested_deeply(double: OpenIdDouble, _claims: dict[str, Any]) -> str:
    payload = base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
    return f"{_part({'alg': 'ES256', 'kid': double.key.kid})}.{payload}.AAAA"


Forge = Callable[[OpenIdDouble, dict[str, Any]], str]


@sqlite_only
@pytest.mark.parametrize(
    "forge",
    [
        unsigned,
        under_another_key,
        under_an_unpublished_key,
        under_the_client_secret,
        with_the_public_key_as_secret,
        with_a_key_in_its_header,
        changed_afterwards,
        without_a_signature,
        no_token_at_all,
        nested_deeply,
    ],
)
async def test_forged_id_token_is_refused(client: GraphQLClient, openid: OpenIdDouble, forge: Forge) -> None:
    openid.sign = lambda claims: forge(openid, claims)

    assert await refusal(client, openid.approve) == "PROVIDER_REFUSED"
