import asyncio
import re
import secrets

import httpx
import pytest

from kit.errors import Refused
from kit.providers import Exchange, ProviderDenial, ProviderFault, ProviderName, asking
from kit.providers.exchange import challenge_of
from kit.providers.offered import demonstrated
from kit.providers.openid import OpenIdProvider
from kit.providers.web import ProviderWeb, address_with, web_client
from kit.settings import Settings


def test_challenge_is_the_one_of_the_standard() -> None:
    # RFC 7636 appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_secrets_of_an_exchange_are_long_and_new() -> None:
    exchanges = [Exchange.begin("https://app.example/") for _ in range(100)]

    assert len({secret for one in exchanges for secret in (one.state, one.nonce, one.verifier)}) == 300
    # RFC 7636 section 4.1 asks for 43 to 128 characters.
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43,128}", one.verifier) for one in exchanges)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (ProviderDenial("no"), "PROVIDER_REFUSED"),
        (ProviderFault("broken"), "PROVIDER_UNAVAILABLE"),
        (TimeoutError(), "PROVIDER_UNAVAILABLE"),
    ],
)
async def test_trouble_is_told_in_the_contract_s_words(trouble: Exception, code: str) -> None:
    with pytest.raises(Refused) as refused:
        async with asking(ProviderName.GITHUB):
            raise trouble

    assert refused.value.code == code
    assert "GitHub" in refused.value.message


async def test_request_that_is_cancelled_is_no_provider_s_fault() -> None:
    with pytest.raises(asyncio.CancelledError):
        async with asking(ProviderName.GITHUB):
            raise asyncio.CancelledError


def test_what_stands_in_an_address_stays_there() -> None:
    merged = address_with("https://id.example/authorize?tenant=1", {"state": "a b&c"})

    assert merged == "https://id.example/authorize?tenant=1&state=a+b%26c"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["http://id.example/", "file:///etc/hostname", "//id.example/", "", None, 7])
async def test_issuer_behind_tls_does_not_lead_out_of_it(name: str, address: object) -> None:
    honest = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://id.example/")
    document = {"issuer": "https://id.example", **honest, name: address}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=document))

    async with httpx.AsyncClient(transport=transport) as client:
        provider = OpenIdProvider(
            ProviderWeb(client), issuer="https://id.example", client_id="id", client_secret="secret"
        )
        with pytest.raises(ProviderFault):
            await provider.begin(Exchange.begin("https://app.example/"))


@pytest.mark.parametrize("host", ["[", ".", "a..b", "a" * 300, "\u2100", "127.0.0.1:99999", "-", "xn--"])
async def test_host_that_cannot_be_is_the_provider_s_fault(host: str) -> None:
    async with web_client() as client:
        with pytest.raises(ProviderFault):
            await ProviderWeb(client).ask(f"http://{host}/")


@pytest.mark.parametrize("address", ["https://id.example:port/", "https://id.example/\n"])
def test_address_that_is_none_is_the_provider_s_fault(address: str) -> None:
    with pytest.raises(ProviderFault):
        address_with(address, {})


def test_demonstrations_stand_in_for_what_is_not_configured() -> None:
    whole = Settings(google_client_id="id", google_client_secret="secret")
    half = Settings(google_client_id="id")

    assert demonstrated(Settings()) == (ProviderName.GOOGLE, ProviderName.GITHUB)
    assert demonstrated(whole) == (ProviderName.GITHUB,)
    assert demonstrated(half) == (ProviderName.GOOGLE, ProviderName.GITHUB)


def test_production_demonstrates_nothing() -> None:
    production = Settings(
        environment="production", secret_keys=(secrets.token_bytes(32),), public_url="https://accounts.example.org"
    )

    assert demonstrated(production) == ()
