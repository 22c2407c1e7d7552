"""Sealing, keyed hashing, and telling old keys from new ones."""

import hashlib
import hmac
import re

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from kit.keyring import Keyring, SealBroken

OLD, NEW = (hashlib.sha256(name).digest() for name in (b"old", b"new"))
KEYRING = Keyring([NEW, OLD])
TEXTS = st.text(alphabet=st.characters(), max_size=50)


def test_derivation_is_the_hkdf_of_rfc_5869() -> None:
    # Appendix A.3, the case without salt: what kit.keyring calls, by the published vector.
    derived = HKDF(SHA256(), 42, salt=None, info=b"").derive(bytes.fromhex("0b" * 22))

    assert derived.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert KEYRING.key("a") == HKDF(SHA256(), 32, salt=None, info=b"gatehouse purpose a").derive(NEW)


def test_each_purpose_and_each_key_has_a_key_of_its_own() -> None:
    keys = {KEYRING.key(purpose, key_id) for purpose in ("a", "b") for key_id in KEYRING.key_ids}

    assert len(keys) == 4
    assert not keys & {OLD, NEW}
    assert all(len(key) == 32 for key in keys)


def test_key_ids_are_short_and_follow_the_key() -> None:
    assert all(re.fullmatch("[0-9a-f]{8}", key_id) for key_id in KEYRING.key_ids)
    assert KEYRING.newest_id == KEYRING.key_ids[0]
    assert Keyring([OLD]).key_ids == KEYRING.key_ids[1:]


@given(st.binary(max_size=300), TEXTS)
def test_what_is_sealed_opens_for_its_owner(plaintext: bytes, owner: str) -> None:
    sealed = KEYRING.seal(plaintext, purpose="totp", bound_to=owner)

    assert KEYRING.open(sealed, purpose="totp", bound_to=owner) == plaintext
    assert sealed.isascii()


def test_what_is_sealed_shows_nothing_and_never_looks_the_same() -> None:
    first, second = (KEYRING.seal(b"a secret of mine", purpose="totp", bound_to="1") for _ in range(2))

    assert first != second
    assert "secret" not in first


@given(st.integers(0, 200), st.sampled_from("ABCabc012-_.=~ "))
def test_a_changed_seal_is_broken(place: int, other: str) -> None:
    sealed = KEYRING.seal(b"0123456789", purpose="totp", bound_to="1")
    place %= len(sealed) - 1
    changed = sealed[:place] + other + sealed[place + 1 :]

    if changed != sealed:
        with pytest.raises(SealBroken):
            KEYRING.open(changed, purpose="totp", bound_to="1")


@given(TEXTS)
def test_text_that_is_no_seal_is_broken(text: str) -> None:
    with pytest.raises(SealBroken):
        KEYRING.open(text, purpose="totp", bound_to="1")
    with pytest.raises(SealBroken):
        KEYRING.open(f"{KEYRING.newest_id}.{text}", purpose="totp", bound_to="1")


def test_a_seal_opens_for_no_other_owner_purpose_or_keyring() -> None:
    sealed = KEYRING.seal(b"x", purpose="totp", bound_to="1")

    for keyring, purpose, owner in [(KEYRING, "totp", "2"), (KEYRING, "mail", "1"), (Keyring([OLD]), "totp", "1")]:
        with pytest.raises(SealBroken):
            keyring.open(sealed, purpose=purpose, bound_to=owner)


def test_old_seals_open_until_their_key_is_gone() -> None:
    sealed = Keyring([OLD]).seal(b"x", purpose="totp", bound_to="1")

    assert KEYRING.open(sealed, purpose="totp", bound_to="1") == b"x"
    assert not KEYRING.is_newest(sealed)
    assert KEYRING.is_newest(KEYRING.seal(b"x", purpose="totp", bound_to="1"))


def test_a_keyed_digest_is_hmac_sha_256_under_the_newest_key() -> None:
    digest = KEYRING.keyed_digest("123456", purpose="code")

    key_id, _, code = digest.partition(".")
    assert key_id == KEYRING.newest_id
    assert code == hmac.new(KEYRING.key("code"), b"123456", hashlib.sha256).hexdigest()
    assert KEYRING.is_newest(digest)


@given(TEXTS)
def test_a_digest_of_before_the_rotation_is_among_the_digests(value: str) -> None:
    before = Keyring([OLD]).keyed_digest(value, purpose="code")

    digests = KEYRING.keyed_digests(value, purpose="code")

    assert digests == [KEYRING.keyed_digest(value, purpose="code"), before]
    assert before not in KEYRING.keyed_digests(value, purpose="other")


def test_a_keyring_of_no_keys_or_of_twins_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a secret key"):
        Keyring([])
    with pytest.raises(ValueError, match="the same"):
        Keyring([NEW, NEW])
