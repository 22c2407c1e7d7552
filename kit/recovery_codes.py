"""Recovery codes: made, read back from what a person types, and hashed."""

import hashlib
import hmac
import re
import secrets

HOW_MANY = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no letter looks like a digit or another letter
_CHARACTERS = 16  # 80 bits
_GROUP = 4
_KEY_BYTES = 32
_LOOK_ALIKES = str.maketrans("ilo", "110")
_TYPED = re.compile(r"[0-9A-Za-z -]{1,64}", re.ASCII)


def new_codes() -> list[str]:
    """Ten codes of 80 random bits, in groups of four."""
    return [_grouped("".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))) for _ in range(HOW_MANY)]


def new_key() -> bytes:
    """A key for `digest`: one for each set of codes."""
    return secrets.token_bytes(_KEY_BYTES)


def digest(typed: str, key: bytes) -> str | None:
    """The keyed hash of a code, whatever its case, hyphens and spaces; None for what no code can be."""
    if _TYPED.fullmatch(typed) is None:
        return None
    code = typed.replace("-", "").replace(" ", "").lower().translate(_LOOK_ALIKES)
    if len(code) != _CHARACTERS:
        return None
    return hmac.digest(key, code.encode(), hashlib.sha256).hex()


def _grouped(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))
