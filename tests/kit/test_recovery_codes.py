import re

from hypothesis import given
from hypothesis import strategies as st

from kit import recovery_codes

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def test_codes_are_ten_of_eighty_bits_and_differ() -> None:
    codes = recovery_codes.new_codes()

    assert len(set(codes)) == 10
    # 32 characters to choose from are five bits each; none of them looks like another.
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}", code) for code in codes)


def test_hash_is_keyed_and_tells_codes_apart() -> None:
    first, second = recovery_codes.new_codes()[:2]

    digest = recovery_codes.digest(first, KEY)

    assert digest is not None
    assert digest == recovery_codes.digest(first, KEY)
    assert digest not in {recovery_codes.digest(first, OTHER_KEY), recovery_codes.digest(second, KEY)}
    assert first.replace("-", "") not in digest


def test_every_spelling_of_a_person_is_the_same_code() -> None:
    digest = recovery_codes.digest("0123-4567-89ab-1110", KEY)

    for typed in ("0123456789AB1110", "O123 4567 89ab IlLo", "0123-4567-89AB-iiio", " 0123--456789ab1110 "):
        assert recovery_codes.digest(typed, KEY) == digest


@given(st.text(max_size=80))
def test_nothing_typed_breaks_it(typed: str) -> None:
    digest = recovery_codes.digest(typed, KEY)

    assert digest is None or re.fullmatch(r"[0-9a-f]{64}", digest)
    # The sign for a degree of kelvin and its like are no letters here.
    assert digest is None or typed.isascii()


def test_keys_are_new_each_time() -> None:
    assert len({recovery_codes.new_key() for _ in range(10)}) == 10
    assert {len(recovery_codes.new_key())} == {32}
