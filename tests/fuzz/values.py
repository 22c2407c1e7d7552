"""Values for arguments and variables: as their types want them, and as they don't."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
)

DEEPEST = 3
TEXTS = [
    "",
    "ann@example.com",
    "a long enough passphrase",
    "deploy",
    "123456",
    "eyJhbGciOiJub25lIn0.e30.",
    "account_" + "0" * 32,
    "apikey_" + "f" * 32,
    "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999+23:59",
    "\x00",
    "a\r\nBcc: eve@example.com",
    "\ud800",
    "\U0001f600" * 40,
    "\u0131\u0308\u212a\u200b\u202e",
    "%s%n{0}$(id)'\"--",
    "../../etc/passwd",
    "x" * 2_000,
]
NUMBERS = [0, 1, -1, 50, 100, 101, 2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**39, 0.5, 1e308, -0.0]
ODDITIES: list[Any] = [*TEXTS, *NUMBERS, None, True, False, [], {}, [[None]]]


class Dice:
    """Chances. Made of a number that Hypothesis draws: a draw of its own for every choice would take all the time."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.choice = self._random.choice
        self.between = self._random.randint

    def one_in(self, number: int) -> bool:
        return self._random.randrange(number) == 0

    def text(self) -> str:
        """One of those that have made trouble somewhere, or anything."""
        if self.one_in(2):
            return self.choice(TEXTS)
        return "".join(chr(self._random.randrange(0x11000)) for _ in range(self._random.randrange(20)))


@dataclass(frozen=True)
class Token:
    """What stands in a document without quotes: an enum's member, a variable."""

    text: str


def value_for(dice: Dice, type_: GraphQLInputType, depth: int = 0) -> Any:
    """Mostly a value of the type, one time in thirty anything."""
    if dice.one_in(30):
        return dice.choice(ODDITIES)
    if isinstance(type_, GraphQLNonNull):
        return _value(dice, type_.of_type, depth)
    return None if dice.one_in(8) else _value(dice, type_, depth)


def _value(dice: Dice, type_: GraphQLInputType, depth: int) -> Any:
    if isinstance(type_, GraphQLList):
        return [value_for(dice, type_.of_type, depth + 1) for _ in range(dice.between(0, 3))]
    if isinstance(type_, GraphQLInputObjectType):
        return _input_object(dice, type_, depth)
    if isinstance(type_, GraphQLEnumType):
        return Token("NO_SUCH_MEMBER" if dice.one_in(30) else dice.choice(list(type_.values)))
    return _scalar(dice, getattr(type_, "name", ""))


def _input_object(dice: Dice, type_: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
    if depth >= DEEPEST:
        return {}
    given = {name: value_for(dice, field.type, depth + 1) for name, field in type_.fields.items()}
    return given | ({"noSuchField": 1} if dice.one_in(30) else {})


def _scalar(dice: Dice, name: str) -> Any:
    if name in {"Int", "Float"}:
        return dice.choice(NUMBERS) if dice.one_in(4) else dice.between(0, 100)
    if name == "Boolean":
        return dice.one_in(2)
    return dice.choice(ODDITIES) if name == "JSON" else dice.text()


def literal(value: Any) -> str:
    """The value as it is written in a document."""
    if isinstance(value, Token):
        return value.text
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {literal(inner)}' for name, inner in value.items())}}}"
    return json.dumps(value)


def as_json(value: Any) -> Any:
    """The value as it is sent for a variable."""
    if isinstance(value, Token):
        return value.text
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    if isinstance(value, dict):
        return {name: as_json(inner) for name, inner in value.items()}
    return value
