"""Everything that is done with the gateway's secret keys: deriving, sealing, keyed hashing, and telling keys apart."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12  # NIST SP 800-38D section 8.2.2: random, so a key may seal 2**32 values
_KEY_ID_BYTES = 4


class SealBroken(Exception):
    """What was sealed cannot be opened: changed, moved to another owner, or sealed under a key that is gone."""


class Keyring:
    """The secret keys, newest first. Each purpose has keys of its own, derived by HKDF (RFC 5869)."""

    def __init__(self, secret_keys: Sequence[bytes]) -> None:
        if not secret_keys:
            raise ValueError("a keyring needs a secret key")
        self._roots = {_derive(key, "key id", _KEY_ID_BYTES).hex(): key for key in secret_keys}
        if len(self._roots) != len(secret_keys):
            raise ValueError("two secret keys are the same, or share an id: replace one")
        self.key_ids = tuple(self._roots)
        self.newest_id = self.key_ids[0]
        self._derived: dict[tuple[str, str], bytes] = {}

    def key(self, purpose: str, key_id: str | None = None) -> bytes:
        """The 32 bytes for a purpose, derived from the newest secret key unless one is named. Raises KeyError."""
        wanted = (key_id or self.newest_id, purpose)
        if wanted not in self._derived:
            self._derived[wanted] = _derive(self._roots[wanted[0]], f"purpose {purpose}", 32)
        return self._derived[wanted]

    def seal(self, plaintext: bytes, *, purpose: str, bound_to: str) -> str:
        """Encrypt and authenticate, so that it opens only for this purpose and this owner."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.key(purpose)).encrypt(nonce, plaintext, _as_bytes(bound_to))
        return f"{self.newest_id}.{base64.urlsafe_b64encode(nonce + sealed).decode().rstrip('=')}"

    def open(self, sealed: str, *, purpose: str, bound_to: str) -> bytes:
        """Open what was sealed under any of the keys. Raises SealBroken."""
        key_id, _, text = sealed.partition(".")
        if key_id not in self._roots:
            raise SealBroken("sealed under a key that is not in the keyring")
        content = _unpadded(text)
        try:
            return AESGCM(self.key(purpose, key_id)).decrypt(
                content[:_NONCE_BYTES], content[_NONCE_BYTES:], _as_bytes(bound_to)
            )
        except (InvalidTag, ValueError):
            raise SealBroken("changed, or moved to another owner") from None

    def is_newest(self, sealed: str) -> bool:
        """Whether it was sealed (or digested) under the newest key."""
        return sealed.partition(".")[0] == self.newest_id

    def keyed_digest(self, value: str, *, purpose: str) -> str:
        """HMAC-SHA-256 under the newest key: what is short enough to be guessed from a plain hash rests like this."""
        return self._digest_under(self.newest_id, value, purpose)

    def keyed_digests(self, value: str, *, purpose: str) -> list[str]:
        """The digest under each key, newest first: one of them stands in the database."""
        return [self._digest_under(key_id, value, purpose) for key_id in self.key_ids]

    def _digest_under(self, key_id: str, value: str, purpose: str) -> str:
        return f"{key_id}.{hmac.digest(self.key(purpose, key_id), _as_bytes(value), hashlib.sha256).hex()}"


def _derive(secret_key: bytes, what: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"gatehouse " + what.encode()).derive(secret_key)


def _as_bytes(text: str) -> bytes:
    # A lone surrogate may stand in what a caller sent; it must lead to "no match", not to a crash.
    return text.encode("utf-8", "surrogatepass")


def _unpadded(text: str) -> bytes:
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealBroken("not base64url") from None
    if len(content) < _NONCE_BYTES:
        raise SealBroken("too short")
    return content
