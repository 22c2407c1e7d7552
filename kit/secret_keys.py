"""The gateway's own secret keys: how they are written down, which are too weak, and where development keeps its own."""

import base64
import binascii
import itertools
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

KEY_BYTES = 32
_FEWEST_DIFFERENT_BYTES = 12  # 32 random bytes have 30 of them; fewer than 12 would take longer than the world lasts


def parse_keys(text: str) -> tuple[bytes, ...]:
    """Comma-separated keys, newest first. Raises ValueError; no key stands in its text."""
    keys = tuple(_parse_key(part.strip(), place) for place, part in enumerate(text.split(","), start=1))
    if len(set(keys)) != len(keys):
        raise ValueError("the same key stands in it twice")
    return keys


def _parse_key(text: str, place: int) -> bytes:
    problem = f"key number {place} is not {KEY_BYTES} bytes in base64url"
    try:
        key = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        # What was typed may be nearly the right key, so it must not reach a log along the chain of causes.
        raise ValueError(problem) from None
    if len(key) != KEY_BYTES:
        raise ValueError(problem)
    return key


def write_keys(keys: Iterable[bytes]) -> str:
    """The inverse of parse_keys."""
    return ",".join(base64.urlsafe_b64encode(key).decode().rstrip("=") for key in keys)


def is_weak(key: bytes) -> bool:
    """Whether a key was surely typed or counted out rather than drawn: text, a repetition, a sequence."""
    is_text = all(0x20 <= byte < 0x7F for byte in key)  # noqa: PLR2004 - the printable part of ASCII
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    return is_text or len(steps) == 1 or len(set(key)) < _FEWEST_DIFFERENT_BYTES


def kept_keys(file: Path) -> tuple[bytes, ...]:
    """The keys in this file, made now (mode 600) if there is none. Raises OSError, ValueError.

    Processes that start together agree: the file appears whole, by a link that only the first of them can make.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _make(file)
    return parse_keys(file.read_text(encoding="ascii").strip())


def _make(file: Path) -> None:
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(write_keys([secrets.token_bytes(KEY_BYTES)]) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        _link(draft, file)
    finally:
        draft.unlink()


def _link(draft: Path, file: Path) -> None:
    try:
        os.link(draft, file)
    except FileExistsError:
        # Another process was first: its keys are everybody's.
        return
