"""JSON as RFC 8259 has it and not a letter more: what parsers disagree on is refused, so that nobody can play on it."""

import json
import math
import re
from typing import Any

MOST_NESTING = 64
MOST_DIGITS = 40

# Strings are skipped whole, so that a bracket inside one counts for nothing. An unfinished string runs to the end.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)


class BadJson(ValueError):
    """The text is no JSON, or JSON that we don't take. The message says which, and is fit for clients."""


def decode_utf8(raw: bytes) -> str:
    """Raises BadJson for anything but strict UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadJson("The text is not valid UTF-8.") from None


def decode_json(text: str) -> object:
    """The value of a JSON text. Raises BadJson."""
    # SECURITY: nesting is bounded before parsing, because the parser and everything after it recurse.
    if text.count("[") + text.count("{") > MOST_NESTING and _nesting(text) > MOST_NESTING:
        raise BadJson(f"JSON may be nested at most {MOST_NESTING} levels deep.")
    try:
        value: object = _DECODER.decode(text)
    except BadJson:
        raise
    except ValueError:
        raise BadJson("The text is not valid JSON.") from None
    return value


def _nesting(text: str) -> int:
    deepest = depth = 0
    for token in _BRACKETS.finditer(text):
        mark = token.group()
        if mark in {"[", "{"}:
            depth += 1
            deepest = max(deepest, depth)
        elif mark in {"]", "}"}:
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # SECURITY: one parser takes the first of two equal keys, another the last: what one has checked, the other runs.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadJson("A JSON object has the same key twice.")
    return members


def _integer(digits: str) -> int:
    # SECURITY: turning digits into a number is quadratic, and Python refuses past 4,300 with an error of its own.
    if len(digits) > MOST_DIGITS:
        raise BadJson(f"A number may have at most {MOST_DIGITS} digits.")
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > MOST_DIGITS:
        raise BadJson(f"A number may have at most {MOST_DIGITS} digits.")
    number = float(digits)
    if math.isinf(number):
        raise BadJson("A number is too large.")
    return number


def _constant(name: str) -> object:
    raise BadJson(f"{name} is not JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant, strict=True
)
