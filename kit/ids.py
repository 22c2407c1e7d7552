"""Row ids and the global ids that clients see."""

import os
import secrets
import uuid
from datetime import datetime

from kit import clock

_LARGEST_STEP = 2**32


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits. Never given twice.

    Ids of one process sort as they were made, within a millisecond too (RFC 9562 section 6.2, method 2).
    """
    return _SEQUENCE.next()


class _Sequence:
    def __init__(self) -> None:
        self._last = 0

    def next(self) -> uuid.UUID:
        milliseconds = int(clock.now().timestamp() * 1000)
        number = milliseconds << 74 | int.from_bytes(os.urandom(10)) >> 6
        # Made in the millisecond of the last one, or with a clock that was put back: some way behind the last one.
        if number <= self._last:
            number = self._last + 1 + secrets.randbelow(_LARGEST_STEP)
        self._last = number
        return _with_version(number)


_SEQUENCE = _Sequence()


def _with_version(number: int) -> uuid.UUID:
    """Version and variant in their places between the 122 bits of the number."""
    high, middle, low = number >> 74, number >> 62 & 0xFFF, number & (1 << 62) - 1
    return uuid.UUID(int=high << 80 | 0x7 << 76 | middle << 64 | 0x2 << 62 | low)


def first_id_at(instant: datetime) -> uuid.UUID:
    """What no id drawn at that instant or later is smaller than."""
    return uuid.UUID(int=int(instant.timestamp() * 1000) << 80)


def to_global(kind: str, row_id: uuid.UUID) -> str:
    """The opaque id of a row for clients: its kind and its 32 hexadecimal digits, as `key_0192…`."""
    return f"{kind}_{row_id.hex}"


def from_global(kind: str, global_id: str) -> uuid.UUID | None:
    """The row id in a global id of that kind; None for anything else, malformed or not."""
    prefix, separator, digits = global_id.rpartition("_")
    if prefix != kind or not separator or len(digits) != 32 or not set(digits) <= _LOWER_HEX:  # noqa: PLR2004
        return None
    return uuid.UUID(hex=digits)


_LOWER_HEX = frozenset("0123456789abcdef")
