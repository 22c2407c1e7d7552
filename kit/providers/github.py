"""GitHub: OAuth 2.0 with its own API behind it, at github.com or at a GitHub Enterprise."""

from collections.abc import Mapping

from kit.providers.exchange import Exchange, ProviderDenial, ProviderFault, ProviderIdentity
from kit.providers.web import Answer, ProviderWeb, address_with, fields_of, text_of
from kit.text import shown_name

SCOPES = "read:user user:email"
_API_VERSION = "2022-11-28"
_OK = 200


class GitHubProvider:
    """GitHub by the addresses of its pages and of its API; both methods raise ProviderDenial, ProviderFault."""

    def __init__(self, web: ProviderWeb, *, url: str, api_url: str, client_id: str, client_secret: str) -> None:
        self._web = web
        self._url = url
        self._api_url = api_url
        self._client_id = client_id
        self._client_secret = client_secret

    async def begin(self, exchange: Exchange) -> str:
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": exchange.redirect_uri,
            "scope": SCOPES,
            "state": exchange.state,
            "code_challenge": exchange.challenge,
            "code_challenge_method": "S256",
            "prompt": "select_account",
        }
        return address_with(f"{self._url}/login/oauth/authorize", asked)

    async def complete(self, code: str, exchange: Exchange) -> ProviderIdentity:
        token = await self._redeem(code, exchange)
        user = fields_of(await self._api("/user", token))
        email, verified = _primary(await self._api("/user/emails?per_page=100", token))
        number = user.get("id")
        # SECURITY: the number, since a login name is given to somebody else once it is free (CVE-2024-25618 in kind).
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            raise ProviderFault("answers without the user's number")
        return ProviderIdentity(
            subject=str(number),
            display_name=shown_name(user.get("login"), str(number)),
            email=email,
            email_verified=verified,
        )

    async def _redeem(self, code: str, exchange: Exchange) -> str:
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": code,
            "redirect_uri": exchange.redirect_uri,
            "code_verifier": exchange.verifier,
        }
        answer = await self._web.ask(f"{self._url}/login/oauth/access_token", form=form)
        fields = fields_of(answer)
        # GitHub refuses with status 200 and an `error`.
        if answer.status != _OK or "error" in fields:
            raise ProviderDenial(f"refuses the code: {shown_name(fields.get('error'), 'without a reason')}")
        return text_of(fields, "access_token")

    async def _api(self, path: str, token: str) -> Answer:
        if not token.isascii() or not token.isprintable():
            raise ProviderFault("answers with a token that no header can hold")
        headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {token}",
            "x-github-api-version": _API_VERSION,
        }
        answer = await self._web.ask(self._api_url + path, headers=headers)
        if answer.status != _OK:
            raise ProviderDenial(f"refuses its own token with {answer.status}")
        return answer


def _primary(answer: Answer) -> tuple[str | None, bool]:
    """The primary address, and whether GitHub has verified it. Raises ProviderFault."""
    if not isinstance(answer.body, list):
        raise ProviderFault("answers with addresses of another shape")
    for entry in answer.body:
        if isinstance(entry, Mapping) and entry.get("primary") is True and isinstance(entry.get("email"), str):
            # SECURITY: the boolean, as in kit/providers/openid.py.
            return entry["email"] or None, entry.get("verified") is True
    return None, False
