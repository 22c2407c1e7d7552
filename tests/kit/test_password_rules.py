"""Which passwords are refused, and with which reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.password_rules import MAX_LENGTH, MIN_LENGTH, password_problem, unusable_text

EMAIL = "ada.lovelace+keys@analytical.example"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "xk7#mQ2p",
        "zażółć gęślą",
        "🦊🦊🦉🦉🦔🦔🦝🦝",
        "   spaces   inside and around   ",
        "q" * 64,
        "q" * MAX_LENGTH,
        "gatehouse has a green door",
        "ada went to the analytical engine",
    ],
)
def test_good_passwords_of_any_kind_pass(password: str) -> None:
    assert password_problem(password, email=EMAIL) is None


@pytest.mark.parametrize("password", ["", "short", "1234567", "🦊" * 7])
def test_a_short_one_is_told_the_least_and_the_recommended_length(password: str) -> None:
    reason = password_problem(password, email=EMAIL) or ""

    assert "at least 8" in reason
    assert "15" in reason


def test_lengths_are_code_points() -> None:
    assert password_problem("🦊🦉🦔🦝🐻🐼🐨🐯", email=EMAIL) is None
    assert password_problem("é" * MAX_LENGTH, email=EMAIL) is None
    assert "at most 256" in (password_problem("q" * (MAX_LENGTH + 1), email=EMAIL) or "")


@pytest.mark.parametrize("odd", ["\0", "\n", "\r", "\x1b", "\x7f", "\x85", "\u2028", "\ud800"])
def test_controls_and_halves_of_characters_are_refused(odd: str) -> None:
    password = f"correct horse{odd}battery"

    assert "control characters" in (password_problem(password, email=EMAIL) or "")
    assert "control characters" in (unusable_text(password) or "")


def test_length_counts_what_is_hashed() -> None:
    assert "at least 8" in (password_problem("e\u0301" * 4, email=EMAIL) or "")
    assert password_problem("e\u0301" * 8, email=EMAIL) is None


@pytest.mark.parametrize("password", ["bob2026!!", "Bobbobbob", "b0b-b0b-b0b"])
def test_a_short_address_is_a_word_too(password: str) -> None:
    assert "little more than" in (password_problem(password, email="bob@x.test") or "")


@pytest.mark.parametrize(
    "password",
    [
        *("password", "12345678", "PASSWORD1", "Sunshine1", "iloveyou", "qwertyuiop", "michelle", "administrator"),
        *("00000000", "88888888", "aaaaaaaa", "123123123", "12341234", "abcdefgh", "87654321", "0987654321"),
        *("Password1!", "P@ssw0rd!", "letmein123", "admin1234", "passwordpassword"),
    ],
)
def test_common_ones_are_refused(password: str) -> None:
    assert "most common" in (password_problem(password, email=EMAIL) or "")


@pytest.mark.parametrize(
    "password",
    [
        "gatehouse",
        "Gatehouse2026!",
        "GATEHOUSE-1",
        "!!gatehouse!!",
        "G4teh0use2026",
        "gatehousegatehouse",
        "ada.lovelace",
        "Ada.Lovelace1815",
        "adalovelace!",
        "lovelace42",
        "ada.lovelace+keys@analytical.example",
        "analytical1",
    ],
)
def test_the_service_and_the_own_address_are_refused_however_they_are_decorated(password: str) -> None:
    assert "little more than" in (password_problem(password, email=EMAIL) or "")


def test_what_is_only_compared_may_be_short_and_common() -> None:
    assert unusable_text("") is None
    assert unusable_text("password") is None
    assert unusable_text("q" * MAX_LENGTH) is None
    assert unusable_text("q" * (MAX_LENGTH + 1)) is not None


@given(st.text(alphabet=st.characters(), max_size=300), st.text(max_size=60))
def test_any_text_gets_an_answer(password: str, email: str) -> None:
    reason = password_problem(password, email=email)

    # No reason repeats what was typed, since reasons are logged and shown.
    assert reason is None or reason[0].islower()
    assert reason is not None or MIN_LENGTH <= len(password) <= MAX_LENGTH
