"""An OpenID provider that can be told to lie."""

import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from kit.providers.exchange import challenge_of
from tests.support.http_double import Asked, HttpDouble, Reply, reply
from tests.support.social import query_of

CLIENT_ID = "gatehouse-at-google"
CLIENT_SECRET = "known to both"

DISCOVERY = "/.well-known/openid-configuration"
TOKEN = "/oauth/token"
KEYS = "/oauth/keys"


class OpenIdDouble(HttpDouble):
    """Vouches for one person. A test changes `person`, single `claims`, how a token is signed, or whole answers."""

    def __init__(self) -> None:
        super().__init__()
        self.key = ECKey.generate_key("P-256", {"kid": "first"})
        self.person: dict[str, Any] = {"sub": "1001", "email": "grace@example.com", "email_verified": True}
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self._codes: dict[str, dict[str, str]] = {}
        self.answerers = {DISCOVERY: self._discovery, TOKEN: self._token, KEYS: self._keys}

    def signed(self, claims: dict[str, Any]) -> str:
        """As it should be."""
        return jwt.encode({"alg": "ES256"} | ({"kid": self.key.kid} if self.key.kid else {}), claims, self.key)

    async def approve(self, url: str) -> str:
        """What the person does in the browser."""
        asked = query_of(url)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _discovery(self, _: Asked) -> Reply:
        return reply(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/oauth/authorize?tenant=1",
                "token_endpoint": self.url + TOKEN,
                "jwks_uri": self.url + KEYS,
            }
        )

    def _keys(self, _: Asked) -> Reply:
        return reply(KeySet([self.key]).as_dict(private=False))

    def _token(self, asked: Asked) -> Reply:
        form = asked.form
        began = self._codes.pop(form.get("code", ""), None)
        is_client = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if began is None or not is_client or began["redirect_uri"] != form.get("redirect_uri"):
            return reply({"error": "invalid_grant"}, status=400)
        if began["code_challenge"] != challenge_of(form.get("code_verifier", "")):
            return reply({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, "nonce": began["nonce"]}
        token = self.sign(without_nothing(claims | self.person | self.claims))
        return reply({"access_token": "unused", "token_type": "Bearer", "id_token": token})


def without_nothing(claims: dict[str, Any]) -> dict[str, Any]:
    """Claims that a test set to None are left out."""
    return {name: value for name, value in claims.items() if value is not None}
