"""Session tokens: JSON Web Tokens (RFC 7519) of one kind, signed and read here and nowhere else.

PyJWT signs and reads them. Before it may look, a token's header must be byte for byte one of ours, so that there is no
algorithm to choose, no key to fetch and nothing to negotiate (RFC 8725 sections 3.1 and 3.11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
from jwt.types import Options
from jwt.utils import base64url_decode, base64url_encode

from kit import clock
from kit.errors import Unauthenticated
from kit.keyring import Keyring

LIFETIME_SECONDS = 604_800
_PURPOSE = "session token"
_TYPE = "gatehouse-session+jwt"
_ISSUER = "gatehouse"
_AUDIENCE = "gatehouse-session"
_ALGORITHM = "HS256"
_OPTIONS: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "strict_aud": True,
    "require": ["iss", "aud", "sub", "exp", "nbf", "iat"],
}
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
        self._newest_id = keyring.newest_id
        self._newest_key = keyring.key(_PURPOSE)
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
        return _sign(claims, self._newest_key, self._newest_id), _to_claims(claims)

    def read(self, token: str) -> SessionClaims:
        """What a token says, if it is one of ours and valid now. Raises Unauthenticated, the same for every reason."""
        claims = self._verified.get(token) or self._verify(token)
        # SECURITY: a remembered token ages too. RFC 7519 section 4.1.4: at the very second of `exp` it is over.
        if not claims.issued_at <= clock.now() < claims.expires_at:
            self._verified.pop(token, None)
            raise Unauthenticated
        return claims

    def _verify(self, token: str) -> SessionClaims:
        header = token.partition(".")[0]
        # SECURITY: the header picks the key, never the algorithm; and one token has one spelling, since base64 leaves
        # bits over at a part's end that a decoder does not look at.
        if len(token) > _LONGEST or header not in self._keys or not _is_spelled_well(token):
            raise Unauthenticated
        claims = _checked(token, self._keys[header])
        self._remember(token, claims)
        return claims

    def _remember(self, token: str, claims: SessionClaims) -> None:
        if len(self._verified) >= _MOST_REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = claims


def _sign(claims: dict[str, Any], key: bytes, key_id: str) -> str:
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": key_id, "typ": _TYPE})


def _header(key_id: str) -> str:
    return _sign({}, bytes(32), key_id).partition(".")[0]


def _is_spelled_well(token: str) -> bool:
    try:
        return all(base64url_encode(base64url_decode(part)).decode() == part for part in token.split("."))
    except ValueError:
        return False


def _checked(token: str, key: bytes) -> SessionClaims:
    """Claims under a right signature. Times are the reader's to judge, by kit.clock."""
    try:
        claims = jwt.decode(token, key, [_ALGORITHM], options=_OPTIONS, audience=_AUDIENCE, issuer=_ISSUER)
        if claims["nbf"] != claims["iat"] or claims["exp"] - claims["iat"] > LIFETIME_SECONDS:
            raise Unauthenticated
        return _to_claims(claims)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
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
