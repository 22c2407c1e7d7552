"""Session tokens: JSON Web Tokens (RFC 7519) of one kind, signed and read here and nowhere else.

Written by hand, since the whole format is two constants: a token's header must be byte for byte one of ours, so there
is no algorithm to choose, no key to fetch and nothing to negotiate (RFC 8725 sections 3.1 and 3.11).
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from kit import clock
from kit.errors import Unauthenticated
from kit.keyring import Keyring

LIFETIME_SECONDS = 604_800
_PURPOSE = "session token"
_TYPE = "gatehouse-session+jwt"
_ISSUER = "gatehouse"
_AUDIENCE = "gatehouse-session"
_LONGEST = 1_024
_MOST_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """Who signed in, when and how; `methods` are names of the contract's AuthenticationMethod."""

    account_id: UUID
    generation: int
    signed_in_at: datetime
    methods: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime


class SessionTokens:
    """Issues under the newest key, reads under any. `session_max_age` counts seconds from the sign-in."""

    def __init__(self, keyring: Keyring, session_max_age: int) -> None:
        self._session_max_age = session_max_age
        self._newest_header = _header(keyring.newest_id)
        self._keys = {_header(key_id): keyring.key(_PURPOSE, key_id) for key_id in keyring.key_ids}
        self._verified: dict[str, SessionClaims] = {}

    def issue(
        self, *, account_id: UUID, generation: int, signed_in_at: datetime, methods: Sequence[str]
    ) -> tuple[str, SessionClaims]:
        """A token for seven days, less where the sign-in grows too old. Raises Unauthenticated when it is already."""
        issued_at = int(clock.now().timestamp())
        signed_in = int(signed_in_at.timestamp())
        expires_at = min(issued_at + LIFETIME_SECONDS, signed_in + self._session_max_age)
        if expires_at <= issued_at:
            raise Unauthenticated
        claims: dict[str, Any] = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(account_id),
            "gen": generation,
            "auth_time": signed_in,
            "amr": list(methods),
            "iat": issued_at,
            "nbf": issued_at,
            "exp": expires_at,
        }
        signed = f"{self._newest_header}.{_encode(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{signed}.{self._signature(self._newest_header, signed)}", _to_claims(claims)

    def read(self, token: str) -> SessionClaims:
        """What a token says, if it is one of ours and valid now. Raises Unauthenticated, the same for every reason."""
        claims = self._verified.get(token) or self._verify(token)
        # SECURITY: a remembered token ages too. RFC 7519 section 4.1.4: at the very second of `exp` it is over.
        if not claims.issued_at <= clock.now() < claims.expires_at:
            self._verified.pop(token, None)
            raise Unauthenticated
        return claims

    def _verify(self, token: str) -> SessionClaims:
        # SECURITY: the whole text is compared, not what it decodes to, so that one token has one spelling.
        if len(token) > _LONGEST or not token.isascii() or token.count(".") != 2:  # noqa: PLR2004 - RFC 7515: three parts
            raise Unauthenticated
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        if header not in self._keys or not hmac.compare_digest(self._signature(header, signed), signature):
            raise Unauthenticated
        claims = _checked(payload)
        self._remember(token, claims)
        return claims

    def _signature(self, header: str, signed: str) -> str:
        return _encode(hmac.digest(self._keys[header], signed.encode(), hashlib.sha256))

    def _remember(self, token: str, claims: SessionClaims) -> None:
        if len(self._verified) >= _MOST_REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = claims


def _header(key_id: str) -> str:
    return _encode(json.dumps({"alg": "HS256", "kid": key_id, "typ": _TYPE}, separators=(",", ":")).encode())


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _checked(payload: str) -> SessionClaims:
    """Claims under a right signature: of an older release, perhaps, but never of a stranger."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        is_ours = claims["iss"] == _ISSUER and claims["aud"] == _AUDIENCE and claims["nbf"] == claims["iat"]
        if not is_ours or claims["exp"] - claims["iat"] > LIFETIME_SECONDS:
            raise Unauthenticated
        return _to_claims(claims)
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise Unauthenticated from None


def _to_claims(claims: Mapping[str, Any]) -> SessionClaims:
    return SessionClaims(
        account_id=UUID(claims["sub"]),
        generation=int(claims["gen"]),
        signed_in_at=datetime.fromtimestamp(claims["auth_time"], UTC),
        methods=tuple(claims["amr"]),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
