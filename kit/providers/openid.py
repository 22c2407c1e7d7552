"""OpenID Connect by discovery: Google, and whoever speaks as it does.

OpenID Connect Core 1.0, section 3.1.3.7, says what of an ID token is checked; OpenID Connect Discovery 1.0 where it is
asked for.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, cast
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jwt import JWTClaimsRegistry

from kit import clock
from kit.providers.exchange import Exchange, ProviderDenial, ProviderFault, ProviderIdentity
from kit.providers.web import ProviderWeb, address_with, fields_of, text_of
from kit.text import has_controls, shown_name

ALGORITHMS = ("RS256", "ES256")
"""SECURITY: a fixed list: no `none`, and nothing that takes a public key for a secret (RFC 8725 section 3.1)."""

REMEMBERED_FOR = timedelta(hours=1)
"""How long a provider's endpoints and keys are believed without asking anew."""

CLOCK_SKEW_SECONDS = 120
"""How far ahead a provider's clock may be. An ID token that has expired has expired all the same."""

LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0 section 2
_OK = 200


@dataclass(frozen=True, slots=True)
class _Endpoints:
    issuer: str
    authorization: str
    token: str
    keys: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: KeySet
    read_at: datetime


class OpenIdProvider:
    """A provider that is known by its issuer; `complete` and `begin` raise ProviderDenial, ProviderFault."""

    def __init__(self, web: ProviderWeb, *, issuer: str, client_id: str, client_secret: str) -> None:
        self._web = web
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._endpoints: _Endpoints | None = None
        self._keys: _Keys | None = None

    async def begin(self, exchange: Exchange) -> str:
        endpoints = await self._discover()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": exchange.redirect_uri,
            "scope": "openid email profile",
            "state": exchange.state,
            "nonce": exchange.nonce,
            "code_challenge": exchange.challenge,
            "code_challenge_method": "S256",
            "prompt": "select_account",
        }
        return address_with(endpoints.authorization, asked)

    async def complete(self, code: str, exchange: Exchange) -> ProviderIdentity:
        endpoints = await self._discover()
        id_token = await self._redeem(endpoints.token, code, exchange)
        return _identity(await self._read(id_token, endpoints, nonce=exchange.nonce))

    async def _redeem(self, endpoint: str, code: str, exchange: Exchange) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": exchange.redirect_uri,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code_verifier": exchange.verifier,
        }
        answer = await self._web.ask(endpoint, form=form)
        fields = fields_of(answer)
        if answer.status != _OK:
            raise ProviderDenial(f"refuses the code: {shown_name(fields.get('error'), 'without a reason')}")
        return text_of(fields, "id_token")

    async def _discover(self) -> _Endpoints:
        if self._endpoints and clock.now() - self._endpoints.read_at < REMEMBERED_FOR:
            return self._endpoints
        fields = fields_of(await self._web.ask(f"{self._issuer}/.well-known/openid-configuration"))
        # SECURITY: Discovery 1.0 section 4.3: a document that speaks for another issuer speaks for nobody.
        issuer = text_of(fields, "issuer")
        # Some issuers end in a slash, which goes before the path is added (section 4.1): the setting has none.
        if issuer.removesuffix("/") != self._issuer:
            raise ProviderDenial("its configuration names another issuer")
        self._endpoints = _Endpoints(
            issuer=issuer,
            authorization=self._endpoint(fields, "authorization_endpoint"),
            token=self._endpoint(fields, "token_endpoint"),
            keys=self._endpoint(fields, "jwks_uri"),
            read_at=clock.now(),
        )
        return self._endpoints

    def _endpoint(self, fields: dict[str, object], name: str) -> str:
        """SECURITY: an issuer behind TLS cannot lead out of it."""
        address = text_of(fields, name)
        secure = urlsplit(self._issuer).scheme == "https"
        if not address.startswith("https://" if secure else ("https://", "http://")):
            raise ProviderFault(f"names no web address as its `{name}`")
        return address

    async def _read(self, id_token: str, endpoints: _Endpoints, *, nonce: str) -> dict[str, Any]:
        claims = None
        if self._keys and clock.now() - self._keys.read_at < REMEMBERED_FOR:
            # The provider may have changed its keys since they were read, some even under the same names.
            with suppress(ProviderDenial):
                claims = _signed(id_token, self._keys.keys)
        if claims is None:
            claims = _signed(id_token, (await self._read_keys(endpoints.keys)).keys)
        self._check(claims, endpoints.issuer, nonce)
        return claims

    async def _read_keys(self, address: str) -> _Keys:
        listed = fields_of(await self._web.ask(address)).get("keys")
        if not isinstance(listed, list):
            raise ProviderFault("publishes no keys")
        usable = [key for key in listed if isinstance(key, dict) and key.get("kty") in {"RSA", "EC"}]
        try:
            keys = KeySet.import_key_set(cast("KeySetSerialization", {"keys": usable}))
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderFault("publishes keys that are none") from None
        self._keys = _Keys(keys, clock.now())
        return self._keys

    def _check(self, claims: dict[str, Any], issuer: str, nonce: str) -> None:
        now = int(clock.now().timestamp())
        registry = JWTClaimsRegistry(
            now=now,
            leeway=CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": issuer},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise ProviderDenial(f"its ID token fails a check: {error}") from None
        if claims["exp"] <= now:
            raise ProviderDenial("its ID token has expired")
        # SECURITY: ours alone. A token that another client may hold as well was perhaps made for that one.
        if claims.get("aud") not in (self._client_id, [self._client_id]):
            raise ProviderDenial("its ID token is for somebody else")
        if "azp" in claims and claims["azp"] != self._client_id:
            raise ProviderDenial("its ID token was asked for by somebody else")
        told = claims.get("nonce")
        if not isinstance(told, str) or not compare_digest(told.encode("utf-8", "replace"), nonce.encode()):
            raise ProviderDenial("its ID token belongs to another sign-in")


def _signed(id_token: str, keys: KeySet) -> dict[str, Any]:
    """The claims under a right signature. Raises ProviderDenial."""
    try:
        return jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ProviderDenial(f"its ID token is not signed as it should be: {type(error).__name__}") from None


def _identity(claims: dict[str, Any]) -> ProviderIdentity:
    subject, email = claims["sub"], claims.get("email")
    if not subject or len(subject) > LONGEST_SUBJECT or has_controls(subject):
        raise ProviderDenial("its ID token names nobody")
    address = email if isinstance(email, str) and email else None
    return ProviderIdentity(
        subject=subject,
        display_name=shown_name(claims.get("name"), address, subject),
        email=address,
        # SECURITY: the boolean. The text "true" and the number 1 are what somebody else wrote (CVE-2026-41574).
        email_verified=claims.get("email_verified") is True,
    )
