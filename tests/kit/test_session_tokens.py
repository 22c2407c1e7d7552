"""Session tokens: read back, and refused in every other spelling, time and place."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import clock
from kit.errors import Unauthenticated
from kit.keyring import Keyring
from kit.session_tokens import LIFETIME_SECONDS, SessionTokens

ACCOUNT = UUID("01926b3c-0000-7000-8000-000000000001")
OLD, NEW = (hashlib.sha256(name).digest() for name in (b"old", b"new"))
KEYRING = Keyring([NEW])
MONTH = 2_592_000


@pytest.fixture(autouse=True)
def _clock_put_right() -> Iterator[None]:
    yield
    clock.reset()


def tokens(keyring: Keyring = KEYRING, session_max_age: int = MONTH) -> SessionTokens:
    return SessionTokens(keyring, session_max_age)


def issued(by: SessionTokens | None = None, signed_in_at: datetime | None = None) -> str:
    return (by or tokens()).issue(
        account_id=ACCOUNT, generation=3, signed_in_at=signed_in_at or clock.now(), methods=("PASSWORD", "TOTP")
    )[0]


def is_accepted(token: str, by: SessionTokens | None = None) -> bool:
    try:
        (by or tokens()).read(token)
    except Unauthenticated:
        return False
    return True


def encode(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: str, payload: str, keyring: Keyring = KEYRING) -> str:
    """Sign as only somebody with the secret key could."""
    text = f"{header}.{payload}"
    return f"{text}.{encode(hmac.digest(keyring.key('session token'), text.encode(), 'sha256'))}"


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_token_says_what_it_was_issued_for() -> None:
    signed_in_at = clock.now() - timedelta(hours=1)
    service = tokens()

    token, claims = service.issue(account_id=ACCOUNT, generation=3, signed_in_at=signed_in_at, methods=["SOCIAL"])

    assert service.read(token) == claims == tokens().read(token)
    assert (claims.account_id, claims.generation, claims.methods) == (ACCOUNT, 3, ("SOCIAL",))
    assert claims.signed_in_at == signed_in_at.replace(microsecond=0)
    assert claims.expires_at - claims.issued_at == timedelta(days=7)


def test_another_library_verifies_it_as_a_jwt() -> None:
    token = issued()

    claims = jwt.decode(
        token,
        KEYRING.key("session token"),
        algorithms=["HS256"],
        audience="gatehouse-session",
        issuer="gatehouse",
        options={"require": ["exp", "nbf", "iat", "iss", "aud", "sub"]},
    )

    assert claims["exp"] - claims["iat"] == LIFETIME_SECONDS
    assert jwt.get_unverified_header(token) == {
        "alg": "HS256",
        "kid": KEYRING.newest_id,
        "typ": "gatehouse-session+jwt",
    }


@pytest.mark.parametrize(("seconds", "accepted"), [(-1, False), (0, True), (604_799, True), (604_800, False)])
def test_a_token_is_good_from_its_issue_to_the_second_it_expires(seconds: int, accepted: bool) -> None:
    service = tokens()
    token = issued(service)
    issued_at = service.read(token).issued_at

    clock.shift(issued_at + timedelta(seconds=seconds, milliseconds=5) - clock.now())

    # A token that this process has seen before ages like one that it has not.
    assert is_accepted(token, service) == accepted
    assert is_accepted(token) == accepted


def test_a_refreshed_token_ends_where_the_sign_in_grows_too_old() -> None:
    signed_in_at = clock.now() - timedelta(seconds=MONTH - 3_600)

    claims = tokens().read(issued(signed_in_at=signed_in_at))

    assert claims.expires_at == signed_in_at.replace(microsecond=0) + timedelta(seconds=MONTH)
    assert claims.expires_at - claims.issued_at <= timedelta(hours=1)


def test_no_token_is_issued_for_a_sign_in_that_is_too_old() -> None:
    with pytest.raises(Unauthenticated):
        issued(signed_in_at=clock.now() - timedelta(seconds=MONTH + 1))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "JWT"},
        {"alg": "HS512", "kid": KEYRING.newest_id, "typ": "gatehouse-session+jwt"},
        {"alg": "RS256", "kid": KEYRING.newest_id, "typ": "gatehouse-session+jwt"},
        {"alg": "HS256", "kid": "00000000", "typ": "gatehouse-session+jwt"},
        {"alg": "HS256", "kid": "../../dev/null", "typ": "gatehouse-session+jwt"},
        {"alg": "HS256", "kid": KEYRING.newest_id, "typ": "gatehouse-ticket+jwt"},
        {"alg": "HS256", "kid": KEYRING.newest_id, "typ": "gatehouse-session+jwt", "crit": ["x"]},
        {"alg": "HS256", "kid": KEYRING.newest_id, "typ": "gatehouse-session+jwt", "jku": "https://evil.test"},
        {"alg": "HS256", "kid": KEYRING.newest_id, "typ": "gatehouse-session+jwt", "jwk": {"kty": "oct", "k": ""}},
        # The same claims in another spelling: blanks after the colons.
        {"alg": "HS256", "kid": KEYRING.newest_id, "typ": "gatehouse-session+jwt"},
    ],
)
def test_a_header_that_is_not_ours_byte_for_byte_is_refused_even_with_a_right_signature(header: object) -> None:
    payload = issued().split(".")[1]

    assert not is_accepted(signed(encode(header), payload))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "gatehouse-ticket"},
        {"aud": ["gatehouse-session"]},
        {"sub": "1"},
        {"sub": None},
        {"gen": "x"},
        {"exp": None},
        {"exp": 99_999_999_999_999},
        {"nbf": 0},
        {"iat": 0},
        {"auth_time": "yesterday"},
        {"amr": None},
    ],
)
def test_claims_that_we_would_not_write_are_refused_even_with_a_right_signature(change: dict[str, object]) -> None:
    header, payload, _ = issued().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    assert is_accepted(signed(header, encode(claims)))
    assert not is_accepted(signed(header, encode(claims | change)))
    assert not is_accepted(signed(header, encode({name: claims[name] for name in claims if name not in change})))


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"1", b"{", b"\xff", b"{}"])
def test_a_payload_of_another_shape_is_refused_even_with_a_right_signature(payload: bytes) -> None:
    assert not is_accepted(signed(issued().split(".")[0], encode(payload)))


def test_every_other_spelling_of_a_good_token_is_refused() -> None:
    token = issued()
    header, payload, signature = token.split(".")
    # The last character of the signature carries two bits that decoders ignore.
    siblings = {signature[:-1] + other for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}

    assert [sibling for sibling in siblings if is_accepted(f"{header}.{payload}.{sibling}")] == [signature]
    for changed in (
        f"{token}=",
        f"{token} ",
        f" {token}",
        f"{token}\n",
        f"{token}.",
        f".{token}",
        f"{token}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}..{signature}",
        f"{encode({'alg': 'none'})}.{payload}.",
        f"{header}=.{payload}.{signature}",
        token.upper(),
        token.replace(".", "%2e"),
        "",
        ".",
        "..",
        "\ud800.\ud800.\ud800",
        "é" * 100,
        "a" * 100_000,
    ):
        assert not is_accepted(changed), changed[:50]


@given(st.integers(0, 500), st.sampled_from("ABab01-_.é"))
def test_a_token_with_one_character_changed_is_refused(place: int, other: str) -> None:
    token = issued()
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]

    assert is_accepted(changed) == (changed == token)


def test_rotation_reads_old_tokens_and_issues_new_ones() -> None:
    before, both, after = (tokens(Keyring(keys)) for keys in ([OLD], [NEW, OLD], [NEW]))
    old, new = issued(before), issued(both)

    assert is_accepted(old, both)
    assert is_accepted(new, both)
    assert is_accepted(new, after)
    assert not is_accepted(old, after)
    assert not is_accepted(new, before)
    assert claims_of(old)["sub"] == claims_of(new)["sub"]


def test_remembered_tokens_are_bounded_and_still_right_when_forgotten() -> None:
    service = tokens()
    held = [
        service.issue(account_id=ACCOUNT, generation=number, signed_in_at=datetime.now(UTC), methods=())[0]
        for number in range(5_000)
    ]

    generations = [service.read(token).generation for token in held]

    assert generations == list(range(5_000))
    assert len(service._verified) <= 4_096
    assert service.read(held[0]).generation == 0
    assert not is_accepted(held[0][:-2], service)
