"""Row ids and the global ids that clients see."""

import os
import uuid
from datetime import datetime

from kit import clock


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits. Never given twice."""
    milliseconds = int(clock.now().timestamp() * 1000)
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    value = value & ~(0xC000 << 48) | 0x8000 << 48
    return uuid.UUID(int=value)


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
