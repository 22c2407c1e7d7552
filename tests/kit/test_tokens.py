"""Random tokens and the form of API keys."""

import hashlib
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import tokens


def independent_checksum(body: str) -> str:
    number, alphabet = zlib.crc32(body.encode()), tokens.BASE62
    return "".join(alphabet[number // 62**place % 62] for place in reversed(range(6)))


def test_api_keys_have_the_published_form_and_differ() -> None:
    keys = {tokens.mint_api_key() for _ in range(1_000)}

    assert len(keys) == 1_000
    assert all(re.fullmatch(r"gate_[0-9A-Za-z]{32}[0-9A-Za-z]{6}", key) for key in keys)
    assert all(key[-6:] == independent_checksum(key[:-6]) for key in keys)
    assert all(tokens.has_api_key_form(key) for key in keys)


def test_checksum_of_a_known_body() -> None:
    # CRC32 0xb2893559, written down once, so that a change of the published form is seen.
    assert tokens.has_api_key_form("gate_" + "0" * 32 + "3Gi7rd")


@given(st.integers(0, 42), st.sampled_from(tokens.BASE62))
def test_one_wrong_character_breaks_the_form(place: int, other: str) -> None:
    key = tokens.mint_api_key()

    changed = key[:place] + other + key[place + 1 :]

    assert tokens.has_api_key_form(changed) == (changed == key)


@given(st.text())
def test_other_text_is_no_api_key(text: str) -> None:
    assert not tokens.has_api_key_form(text)


@pytest.mark.parametrize("change", ["{key}\n", " {key}", "{key} ", "Bearer {key}", "{key}0", "GATE{rest}"])
def test_a_key_with_something_around_it_is_none(change: str) -> None:
    key = tokens.mint_api_key()

    assert not tokens.has_api_key_form(change.format(key=key, rest=key[4:]))


def test_a_token_has_its_prefix_and_length() -> None:
    assert re.fullmatch(r"signup_[0-9A-Za-z]{32}", tokens.mint("signup"))
    assert re.fullmatch(r"x_[0-9A-Za-z]{8}", tokens.mint("x", 8))


@given(st.text(alphabet=st.characters()))
def test_a_digest_never_raises_and_is_64_hexadecimal_digits(raw: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", tokens.digest(raw))


def test_a_digest_is_sha_256_also_of_half_a_character() -> None:
    assert tokens.digest("abc") == hashlib.sha256(b"abc").hexdigest()
    assert tokens.digest("\ud800") != tokens.digest("\ud801")
