"""Which providers are offered: those with a client id and a secret, and in development stand-ins for the others."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from kit.providers.exchange import Provider, ProviderName
from kit.providers.github import GitHubProvider
from kit.providers.openid import OpenIdProvider
from kit.providers.web import ProviderWeb, web_client
from kit.settings import Settings

DEMONSTRATION_PATHS = {ProviderName.GOOGLE: "/demo/google", ProviderName.GITHUB: "/demo/github"}
"""Where the built-in demonstration providers have their pages."""

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

DEMONSTRATION_CLIENT_ID = "gatehouse-demonstration"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a provider is, and as whom it is asked."""

    client_id: str
    client_secret: str
    url: str
    api_url: str = ""


def demonstrated(settings: Settings) -> tuple[ProviderName, ...]:
    """The providers that a built-in one stands in for.

    SECURITY: none in production, where whoever types an address must not become its owner.
    """
    if settings.is_production:
        return ()
    configured = _configured(settings)
    return tuple(name for name in ProviderName if name not in configured)


@asynccontextmanager
async def opened(
    settings: Settings, demonstration: httpx.AsyncBaseTransport | None
) -> AsyncIterator[Mapping[ProviderName, Provider]]:
    """All that are offered. The demonstration ones are reached through their transport, without a socket."""
    async with AsyncExitStack() as stack:
        places = _configured(settings)
        offered: dict[ProviderName, Provider] = {}
        if places:
            web = ProviderWeb(await stack.enter_async_context(web_client()))
            offered |= {name: _provider(name, web, place) for name, place in places.items()}
        if demonstration is not None:
            web = ProviderWeb(
                await stack.enter_async_context(httpx.AsyncClient(transport=demonstration, trust_env=False))
            )
            offered |= {name: _provider(name, web, _demonstration(settings, name)) for name in demonstrated(settings)}
        yield {name: offered[name] for name in ProviderName if name in offered}


def _configured(settings: Settings) -> dict[ProviderName, _Place]:
    places = {}
    if settings.google_client_id and settings.google_client_secret:
        places[ProviderName.GOOGLE] = _Place(
            settings.google_client_id, settings.google_client_secret, settings.google_issuer
        )
    if settings.github_client_id and settings.github_client_secret:
        places[ProviderName.GITHUB] = _Place(
            settings.github_client_id, settings.github_client_secret, settings.github_url, settings.github_api_url
        )
    return places


def demonstration_url(settings: Settings, name: ProviderName) -> str:
    """Where a built-in provider is, for the gateway and for a browser.

    On one machine with its front-end, the gateway has a port of its own, whatever the public URL's is.
    """
    base, public = settings.public_url, urlsplit(settings.public_url)
    if settings.port and public.hostname in _LOOPBACK:
        host = f"[{public.hostname}]" if ":" in public.hostname else public.hostname
        base = f"http://{host}:{settings.port}"
    return base + DEMONSTRATION_PATHS[name]


def _demonstration(settings: Settings, name: ProviderName) -> _Place:
    url = demonstration_url(settings, name)
    # No secret: PKCE alone guards what stands for nobody.
    return _Place(DEMONSTRATION_CLIENT_ID, "none", url, f"{url}/api")


def _provider(name: ProviderName, web: ProviderWeb, place: _Place) -> Provider:
    if name is ProviderName.GOOGLE:
        return OpenIdProvider(web, issuer=place.url, client_id=place.client_id, client_secret=place.client_secret)
    return GitHubProvider(
        web, url=place.url, api_url=place.api_url, client_id=place.client_id, client_secret=place.client_secret
    )
