"""Random tokens that are shown once and kept as digests, and the form of API keys."""

import hashlib
import re
import secrets
import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
API_KEY_PREFIX = "gate"
API_KEY_PATTERN = r"gate_[0-9A-Za-z]{38}"
"""For secret scanners: the last six characters are the CRC32 of all that stands before, in base62."""

_CHECKSUM_CHARACTERS = 6
_API_KEY = re.compile(API_KEY_PATTERN, re.ASCII)


def digest(raw: str) -> str:
    """SHA-256 in 64 hexadecimal digits: enough for what is random; it never raises, whatever was sent."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def mint(prefix: str, characters: int = 32) -> str:
    """A new token: `prefix_` and that many random base62 characters, 5.95 bits each (32 of them: 190 bits)."""
    return f"{prefix}_{''.join(secrets.choice(BASE62) for _ in range(characters))}"


def mint_api_key() -> str:
    """A new API key with its checksum."""
    body = mint(API_KEY_PREFIX)
    return body + _checksum(body)


def has_api_key_form(text: str) -> bool:
    """Whether it can be an API key at all: pattern and checksum, without asking the database."""
    return (
        _API_KEY.fullmatch(text) is not None and _checksum(text[:-_CHECKSUM_CHARACTERS]) == text[-_CHECKSUM_CHARACTERS:]
    )


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    characters = ""
    for _ in range(_CHECKSUM_CHARACTERS):
        number, place = divmod(number, len(BASE62))
        characters = BASE62[place] + characters
    return characters
