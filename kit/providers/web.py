"""Asking a provider over HTTP: short waits, no redirects, small JSON answers and nothing else."""

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple

import httpx
import orjson

from kit.providers.exchange import ProviderFault

LONGEST_ANSWER = 1_048_576
_TIMEOUTS = httpx.Timeout(3.0, connect=2.0, pool=1.0)
_HIGHEST_PORT = 65_535
_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500


class Answer(NamedTuple):
    """What the provider said: a status that is no redirect and no outage, and some JSON."""

    status: int
    body: object


def web_client() -> httpx.AsyncClient:
    """A client for providers on the web. Whoever opens it closes it.

    SECURITY: what the environment says of proxies and passwords (`.netrc`) is not taken over, no redirect is followed,
    wherever a provider points (ASVS 15.3.2), and no cookie is kept, since the next question is another person's.
    Authorities that the machine trusts are trusted too, for a GitHub Enterprise behind a company's own.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return httpx.AsyncClient(
        verify=context,
        timeout=_TIMEOUTS,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


class ProviderWeb:
    """A provider's web, through a client that does not follow redirects."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET, or POST of a form. Raises ProviderFault for anything but a small JSON answer."""
        method = "GET" if form is None else "POST"
        # SECURITY: compressed answers are not asked for and not taken: a small one could grow without bound.
        asked = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "Gatehouse"}
        try:
            _check_port(url)
            async with self._client.stream(method, url, data=form, headers=asked | dict(headers or {})) as response:
                _check(response)
                return Answer(response.status_code, orjson.loads(await _bounded(response)))
        except orjson.JSONDecodeError:
            raise ProviderFault("answers with broken JSON") from None
        # The last two: an address whose host no resolver can be asked for.
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, ValueError) as error:
            raise ProviderFault(type(error).__name__) from error


def _check_port(url: str) -> None:
    """Httpx takes any number, and what the system says of it comes through as a group of exceptions."""
    if (httpx.URL(url).port or 0) > _HIGHEST_PORT:
        raise ProviderFault("names a port that is none")


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if response.is_redirect or status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR:
        raise ProviderFault(f"answers with {status}")
    essence = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if essence != "application/json" and not essence.endswith("+json"):
        raise ProviderFault("answers with something that is no JSON")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ProviderFault("answers with a compressed body")


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise ProviderFault("answers with too much")
    return bytes(body)


def fields_of(answer: Answer) -> dict[str, object]:
    """The answer's JSON object. Raises ProviderFault where it is none."""
    if not isinstance(answer.body, dict):
        raise ProviderFault("answers with JSON of another shape")
    return answer.body


def text_of(fields: Mapping[str, object], name: str) -> str:
    """A text that must be there. Raises ProviderFault."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderFault(f"answers without `{name}`")
    return value


def address_with(endpoint: str, parameters: Mapping[str, str]) -> str:
    """The address with these in its query, beside what stands there already. Raises ProviderFault."""
    try:
        return str(httpx.URL(endpoint).copy_merge_params(dict(parameters)))
    except (httpx.InvalidURL, UnicodeError):
        raise ProviderFault("names an address that is none") from None
