"""What people type: names, descriptions, e-mail addresses. Cleaned here, or refused with the argument's path."""

import unicodedata
from typing import NamedTuple

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from kit.errors import InvalidInput

# A gateway may well stand on a private network (`.local`), and tests use `.test`. The library documents this list as a
# setting: what stands in it is refused.
SPECIAL_USE_DOMAIN_NAMES.clear()

LONGEST_NAME = 120
LONGEST_DESCRIPTION = 1_000
LONGEST_EMAIL = 254

_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, the two line separators
_INVISIBLE = frozenset({"Cf", "Zs"})
# These turn the direction of the text around them, so that what is shown is not what is stored.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Email(NamedTuple):
    """An address as typed (other than ASCII in its ASCII form), and the form in which addresses are compared."""

    typed: str
    canonical: str


def has_controls(text: str) -> bool:
    """Whether it holds what no line of text should: control characters, line breaks, halves of characters."""
    return any(map(_is_control, text))


def clean_name(value: str, path: str, *, longest: int = LONGEST_NAME) -> str:
    """A name without blanks around it. Raises InvalidInput."""
    name = _clean_line(value, path, longest)
    if all(unicodedata.category(letter) in _INVISIBLE for letter in name):
        raise InvalidInput.of(path, "must not be empty")
    return name


def clean_description(value: str, path: str) -> str:
    """A description without blanks around it, or nothing. Raises InvalidInput."""
    return _clean_line(value, path, LONGEST_DESCRIPTION)


def shown_name(*candidates: object) -> str:
    """The first of these names that others gave which has anything to show, without controls and cut to one line."""
    for candidate in candidates:
        letters = candidate if isinstance(candidate, str) else ""
        name = "".join(letter for letter in letters if not _is_control(letter)).strip()[:LONGEST_NAME].strip()
        if name:
            return name
    return "?"


def clean_email(value: str, path: str) -> Email:
    """An address that mail can be sent to. Raises InvalidInput.

    SECURITY: two addresses that look alike must never meet in one account (CVE-2019-19844), so nothing is folded but
    the case of ASCII letters. The part before the `@` is ASCII; of the domain, the ASCII form counts (RFC 5890).
    """
    text = _clean_line(value, path, LONGEST_EMAIL)
    if unicodedata.normalize("NFKC", text) != text:
        raise InvalidInput.of(path, "has characters that only look like the usual ones")
    try:
        parts = validate_email(
            text, strict=True, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False
        )
    except EmailNotValidError:
        raise InvalidInput.of(path, "is not an e-mail address") from None
    host, _, top = parts.ascii_domain.rpartition(".")
    if not host or top.isdigit():
        raise InvalidInput.of(path, "needs a whole domain behind the @")
    in_ascii = f"{parts.local_part}@{parts.ascii_domain}"
    # Mail servers want the domain in ASCII. Whoever typed it so has it kept letter by letter.
    return Email(typed=text if text.isascii() else in_ascii, canonical=in_ascii.lower())


def _clean_line(value: str, path: str, longest: int) -> str:
    if has_controls(value):
        raise InvalidInput.of(path, "must not contain control characters or line breaks")
    line = value.strip()
    if len(line) > longest:
        raise InvalidInput.of(path, f"must have at most {longest} characters")
    return line


def _is_control(letter: str) -> bool:
    return letter in _TURNS or unicodedata.category(letter) in _CONTROLS
