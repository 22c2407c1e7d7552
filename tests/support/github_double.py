"""GitHub as its documentation describes it: refusals with status 200, a numeric id, a page of addresses."""

import secrets
from typing import Any
from urllib.parse import urlencode

from kit.providers.exchange import challenge_of
from tests.support.http_double import Asked, HttpDouble, Reply, reply
from tests.support.social import query_of

CLIENT_ID = "gatehouse-at-github"
CLIENT_SECRET = "known to both as well"

TOKEN = "/login/oauth/access_token"
USER = "/user"
EMAILS = "/user/emails"


class GitHubDouble(HttpDouble):
    """One person has an account there. Pages and API share an address."""

    def __init__(self) -> None:
        super().__init__()
        self.user: dict[str, Any] = {"id": 583231, "login": "octocat", "email": "public@example.com"}
        self.emails: Any = [
            {"email": "old@example.com", "primary": False, "verified": True},
            {"email": "octo@example.com", "primary": True, "verified": True},
        ]
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        self.answerers = {TOKEN: self._token, USER: self._for_bearer("user"), EMAILS: self._for_bearer("emails")}

    async def approve(self, url: str) -> str:
        """What the person does in the browser."""
        asked = query_of(url)
        code = secrets.token_hex(10)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _token(self, asked: Asked) -> Reply:
        form = asked.form
        began = self._codes.pop(form.get("code", ""), None)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return reply({"error": "incorrect_client_credentials"})
        if began is None or began["code_challenge"] != challenge_of(form.get("code_verifier", "")):
            return reply({"error": "bad_verification_code"})
        if began["redirect_uri"] != form.get("redirect_uri"):
            return reply({"error": "redirect_uri_mismatch"})
        token = f"gho_{secrets.token_hex(18)}"
        self._tokens.add(token)
        return reply({"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"})

    def _for_bearer(self, what: str) -> Any:
        def answer(asked: Asked) -> Reply:
            token = asked.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self._tokens:
                return reply({"message": "Bad credentials"}, status=401)
            return reply(getattr(self, what))

        return answer
