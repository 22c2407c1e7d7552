"""What a person sees of a demonstration provider: one form, without script, that says what it is."""

import base64
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kit.providers import ProviderName
from kit.providers.offered import DEMONSTRATION_CLIENT_ID
from kit.text import shown_name

_LONGEST_FORM = 16_384
_LONGEST_EMAIL = 254
_MOST_FIELDS = 20
_SEE_OTHER = 303

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto; padding: 0 1rem; color: #1d1d1f; }
.mark { background: #fff3bf; border: 1px solid #e0b400; border-radius: 4px; padding: .5rem 1rem; }
label { display: block; margin: .8rem 0; }
input:not([type=checkbox]) { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4rem; }
button { font: inherit; padding: .4rem 1rem; margin-right: .5rem; }
"""
_STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Demonstration of {name}</title>
<style>{style}</style>
<h1>Demonstration of {name}</h1>
<p class="mark">This is not {name}. It is a stand-in that Gatehouse brings along for development: it asks for no
password and believes whatever is typed here.</p>
{content}
</html>
"""

_FORM = """
<form method="post">
<label>Address <input type="email" name="email" value="grace@example.com" maxlength="254" required autofocus></label>
<label>Name <input type="text" name="name" value="Grace Hopper" maxlength="120"></label>
<label><input type="checkbox" name="verified" value="yes" checked> The provider has verified this address</label>
<button>Sign in</button> <button name="deny" value="yes" formnovalidate>Refuse</button>
</form>
<p>The same address is the same person each time.</p>
"""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Who somebody says he is."""

    email: str
    name: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What the gateway sent the browser with."""

    redirect_uri: str
    state: str
    challenge: str
    nonce: str

    @classmethod
    def read(cls, request: Request, redirect_uris: Collection[str]) -> "Question | None":
        """None for anything that the gateway did not ask."""
        query = request.query_params
        redirect_uri = query.get("redirect_uri", "")
        # SECURITY: listed addresses alone, or the page would send browsers anywhere.
        if query.get("client_id") != DEMONSTRATION_CLIENT_ID or redirect_uri not in redirect_uris:
            return None
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            return None
        return cls(redirect_uri, query.get("state", ""), query.get("code_challenge", ""), query.get("nonce", ""))

    def send_back(self, answer: Mapping[str, str]) -> Response:
        """Back to the front-end with an answer."""
        joint = "&" if "?" in self.redirect_uri else "?"
        query = urlencode({**answer, "state": self.state})
        return RedirectResponse(f"{self.redirect_uri}{joint}{query}", status_code=_SEE_OTHER)

    @property
    def form_target(self) -> str:
        """Where the form's redirect leads, for the page's policy: Chromium holds redirects to `form-action` too."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


async def read_fields(request: Request) -> dict[str, str]:
    """A short form; of one that is too long or broken, nothing."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


async def read_form(request: Request) -> DemoPerson | Literal["denied"] | None:
    """Who was typed in; None where nobody was."""
    fields = await read_fields(request)
    if "deny" in fields:
        return "denied"
    email = fields.get("email", "").strip()
    if not email or len(email) > _LONGEST_EMAIL:
        return None
    return DemoPerson(email=email, name=shown_name(fields.get("name"), email), verified="verified" in fields)


def show_form(name: ProviderName, question: Question, *, problem: str = "") -> Response:
    """The page with the form. It posts to its own address."""
    complaint = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return _page(name, f"{complaint}{_FORM}", form_action=f"'self' {question.form_target}", status=200)


def show_problem(name: ProviderName) -> Response:
    """To whoever comes with something that the gateway did not ask."""
    text = (
        "<p>This page is reached from <code>beginSocialLogin</code>: the address that you came with is no such one.</p>"
    )
    return _page(name, text, form_action="'none'", status=400)


def _page(name: ProviderName, content: str, *, form_action: str, status: int) -> Response:
    policy = (
        f"default-src 'none'; style-src {_STYLE_HASH}; form-action {form_action}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    text = _PAGE.format(name=name.label, style=_STYLE, content=content)
    return HTMLResponse(text, status_code=status, headers={"content-security-policy": policy})
