"""Which passwords are too easy to guess. No rule says which kinds of characters there must be (NIST SP 800-63B)."""

import functools
import importlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from kit.text import has_controls

MIN_LENGTH = 8
MAX_LENGTH = 256
RECOMMENDED_LENGTH = 15

_PRODUCT = "gatehouse"
_SHORTEST_WORD = 3
_LONGEST_REPEATED = 4
_FIRST = 200
_KEYS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "qwertzuiop")
_RUNS = (*_KEYS, *(keys[::-1] for keys in _KEYS))
_LETTERS_OF_A_DECORATION = 3
_LETTERS_FOR_DIGITS = str.maketrans("01345$7@!", "oieasstai")


def password_problem(password: str, *, email: str) -> str | None:
    """Why this password cannot be taken, as the end of a sentence, or None. Lengths are in code points."""
    if problem := unusable_text(password):
        return problem
    # As it is hashed: one letter may be spelled as several code points.
    password = unicodedata.normalize("NFC", password)
    if len(password) < MIN_LENGTH:
        return f"must have at least {MIN_LENGTH} characters; {RECOMMENDED_LENGTH} or more are recommended"
    if _is_decorated_context(password, email):
        return "is little more than the name of this service or your address"
    if _is_common(password.casefold()):
        return f"is among the most common passwords; {RECOMMENDED_LENGTH} characters or more are recommended"
    return None


def unusable_text(password: str) -> str | None:
    """Why this text can be nobody's password, as the end of a sentence, or None: for places that only compare."""
    if len(password) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    if has_controls(password):
        return "must not contain control characters or line breaks"
    return None


def _is_common(plain: str) -> bool:
    """Whether it is on a list, or such a one over and over.

    What is shorter than recommended must not be a run of keys either, a few letters or digits over and over, or one of
    the very first that are tried with a year or an exclamation mark behind it.
    """
    unit = plain[: (plain + plain).find(plain, 1)]
    if unit in _common_passwords():
        return True
    if len(plain) >= RECOMMENDED_LENGTH:
        return False
    undecorated = re.sub(r"[\W\d_]+$", "", plain).translate(_LETTERS_FOR_DIGITS)
    is_repeated = len(unit) <= _LONGEST_REPEATED and unit.isascii() and unit.isalnum()
    return is_repeated or any(plain in run for run in _RUNS) or undecorated in _first_tried()


@functools.cache
def _common_passwords() -> frozenset[str]:
    """The most common passwords, words and names, 40,000 of them, as far as they are long enough to matter.

    They are loaded at the first use, since a process that only reads never needs them. The library keeps names and
    words out of its list of passwords, since it has lists of their own.
    """
    return frozenset(word for words in _lists().values() for word in words if len(word) >= MIN_LENGTH)


@functools.cache
def _first_tried() -> frozenset[str]:
    return frozenset(_lists()["passwords"][:_FIRST]) | {"admin", "root", "user", "guest", "login"}


def _lists() -> Mapping[str, Sequence[str]]:
    """Words by kind, the most frequent first."""
    lists: Mapping[str, Sequence[str]] = importlib.import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    return lists


def _is_decorated_context(password: str, email: str) -> bool:
    """Whether hardly anything is left once the words that an attacker tries first are taken out (ASVS 6.2.11)."""
    plain = password.casefold()
    return any(_is_decoration(plain, word) for word in _context_words(email))


def _is_decoration(plain: str, word: str) -> bool:
    return any(_is_little(spelling.replace(word, "")) for spelling in _spellings(plain) if word in spelling)


def _spellings(plain: str) -> tuple[str, str]:
    return plain, plain.translate(_LETTERS_FOR_DIGITS)


def _is_little(rest: str) -> bool:
    return len(rest) < MIN_LENGTH and sum(letter.isalpha() for letter in rest) <= _LETTERS_OF_A_DECORATION


def _context_words(email: str) -> Iterator[str]:
    address = email.casefold()
    local, _, domain = address.partition("@")
    untagged = local.partition("+")[0]
    names = re.split(r"[._-]", untagged)
    parts = [address, local, untagged, "".join(names), *names, domain, *domain.split(".")[:-1]]
    yield _PRODUCT
    yield from (part for part in parts if len(part) >= _SHORTEST_WORD)
