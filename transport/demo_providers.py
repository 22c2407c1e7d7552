"""Built-in demonstration providers: Google's and GitHub's protocols for development, on a machine with no network.

Whoever comes says himself who he is, so they vouch for nothing; in production there are none. Codes and tokens are
sealed texts that hold what they stand for: nothing is stored, and any worker reads what another one gave out.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from kit import clock
from kit.keyring import Keyring, SealBroken
from kit.providers import ProviderName
from kit.providers.exchange import challenge_of
from kit.providers.offered import DEMONSTRATION_CLIENT_ID, DEMONSTRATION_PATHS, demonstrated, demonstration_url
from kit.settings import Settings
from transport.demo_pages import DemoPerson, Question, read_fields, read_form, show_form, show_problem

_CODE_SECONDS = 60
_TOKEN_SECONDS = 300
_PURPOSE = "demonstration provider"
_LEAST_NUMBER = 10**15  # far above any number that GitHub has given, so that the two never meet in one database

Handle = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a code or a token stands for."""

    kind: str
    ends_at: float
    person: DemoPerson
    challenge: str = ""
    redirect_uri: str = ""
    nonce: str = ""


class DemoProviders:
    """All that are offered in place of providers that are not configured; none in production."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._offered = demonstrated(settings)

    @property
    def routes(self) -> list[BaseRoute]:
        """Their pages and endpoints."""
        makers = {ProviderName.GOOGLE: self._google_routes, ProviderName.GITHUB: self._github_routes}
        return [route for name in self._offered for route in makers[name](DEMONSTRATION_PATHS[name])]

    def transport(self) -> httpx.AsyncBaseTransport | None:
        """How the gateway asks them itself, without a socket or an address; None when there are none."""
        return httpx.ASGITransport(Starlette(routes=self.routes)) if self._offered else None

    def _google_routes(self, base: str) -> Sequence[BaseRoute]:
        return [
            Route(f"{base}/authorize", self._authorize(ProviderName.GOOGLE), methods=["GET", "POST"]),
            Route(f"{base}/.well-known/openid-configuration", self._configuration),
            Route(f"{base}/token", self._id_token, methods=["POST"]),
            Route(f"{base}/jwks", self._keys),
        ]

    def _github_routes(self, base: str) -> Sequence[BaseRoute]:
        return [
            Route(f"{base}/login/oauth/authorize", self._authorize(ProviderName.GITHUB), methods=["GET", "POST"]),
            Route(f"{base}/login/oauth/access_token", self._access_token, methods=["POST"]),
            Route(f"{base}/api/user", self._user),
            Route(f"{base}/api/user/emails", self._emails),
        ]

    # --- The page, the same for both

    def _authorize(self, name: ProviderName) -> Handle:
        async def authorize(request: Request) -> Response:
            question = Question.read(request, self._settings.social_redirect_uris)
            if question is None:
                return show_problem(name)
            if request.method == "GET":
                return show_form(name, question)
            person = await read_form(request)
            if person is None:
                return show_form(name, question, problem="Type an address.")
            if not isinstance(person, DemoPerson):
                return question.send_back({"error": "access_denied"})
            return question.send_back({"code": self._code(name, person, question)})

        return authorize

    def _code(self, name: ProviderName, person: DemoPerson, question: Question) -> str:
        grant = _Grant(
            kind="code",
            ends_at=clock.now().timestamp() + _CODE_SECONDS,
            person=person,
            challenge=question.challenge,
            redirect_uri=question.redirect_uri,
            nonce=question.nonce,
        )
        return self._sealed(name, grant)

    # --- Google

    async def _configuration(self, _: Request) -> Response:
        issuer = self._issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(KeySet([self._signing_key]).as_dict(private=False))

    async def _id_token(self, request: Request) -> Response:
        grant = await self._redeemed(ProviderName.GOOGLE, request)
        if grant is None:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": DEMONSTRATION_CLIENT_ID,
            "sub": f"demo-{_number(grant.person)}",
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            "nonce": grant.nonce,
            "email": grant.person.email,
            "email_verified": grant.person.verified,
            "name": grant.person.name,
        }
        token = jwt.encode({"alg": "ES256", "kid": self._signing_key.kid}, claims, self._signing_key)
        return JSONResponse({"access_token": "none", "token_type": "Bearer", "id_token": token})

    # --- GitHub

    async def _access_token(self, request: Request) -> Response:
        grant = await self._redeemed(ProviderName.GITHUB, request)
        if grant is None:
            return JSONResponse({"error": "bad_verification_code"})
        ends_at = clock.now().timestamp() + _TOKEN_SECONDS
        token = self._sealed(ProviderName.GITHUB, _Grant(kind="token", ends_at=ends_at, person=grant.person))
        return JSONResponse({"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"})

    async def _user(self, request: Request) -> Response:
        person = self._bearer(request)
        if person is None:
            return JSONResponse({"message": "Bad credentials"}, status_code=401)
        return JSONResponse({"id": _number(person), "login": person.name, "name": person.name})

    async def _emails(self, request: Request) -> Response:
        person = self._bearer(request)
        if person is None:
            return JSONResponse({"message": "Bad credentials"}, status_code=401)
        return JSONResponse([{"email": person.email, "primary": True, "verified": person.verified}])

    def _bearer(self, request: Request) -> DemoPerson | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        grant = self._opened(ProviderName.GITHUB, token, kind="token")
        return grant.person if grant else None

    # --- Codes and tokens

    async def _redeemed(self, name: ProviderName, request: Request) -> _Grant | None:
        """What a code stands for, if it comes with the address and the verifier that it was asked for with."""
        form = await read_fields(request)
        grant = self._opened(name, form.get("code", ""), kind="code")
        if grant is None or form.get("redirect_uri") != grant.redirect_uri:
            return None
        return grant if challenge_of(form.get("code_verifier", "")) == grant.challenge else None

    def _sealed(self, name: ProviderName, grant: _Grant) -> str:
        return self._keyring.seal(json.dumps(asdict(grant)).encode(), purpose=_PURPOSE, bound_to=name.value)

    def _opened(self, name: ProviderName, sealed: str, *, kind: str) -> _Grant | None:
        try:
            content: dict[str, Any] = json.loads(self._keyring.open(sealed, purpose=_PURPOSE, bound_to=name.value))
        except SealBroken:
            return None
        grant = _Grant(**content | {"person": DemoPerson(**content["person"])})
        return grant if grant.kind == kind and grant.ends_at > clock.now().timestamp() else None

    @property
    def _issuer(self) -> str:
        return demonstration_url(self._settings, ProviderName.GOOGLE)

    @cached_property
    def _keyring(self) -> Keyring:
        return Keyring(self._settings.secret_keys)

    @cached_property
    def _signing_key(self) -> ECKey:
        return ECKey.generate_key("P-256", auto_kid=True)


def _number(person: DemoPerson) -> int:
    """The same address is the same person, on any day and any machine."""
    digest = hashlib.sha256(person.email.lower().encode()).digest()
    return _LEAST_NUMBER + int.from_bytes(digest[:6])
