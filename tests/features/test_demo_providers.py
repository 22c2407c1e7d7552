import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from kit.settings import Settings
from models import Account, SocialLogin
from process.gateway import Gateway
from tests.support.gateway_process import running_gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.social import BEGIN, COMPLETE, Return, begin, demo_person, me, query_of, sign_in

OPTIONS = "{ signInOptions { socialProviders } }"
PAGES = {"GOOGLE": "/demo/google/authorize", "GITHUB": "/demo/github/login/oauth/authorize"}
ENDPOINTS = [
    *PAGES.values(),
    "/demo/google/.well-known/openid-configuration",
    "/demo/google/jwks",
    "/demo/google/token",
    "/demo/github/login/oauth/access_token",
    "/demo/github/api/user",
    "/demo/github/api/user/emails",
]


@asynccontextmanager
async def visiting(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to a gateway with these settings."""
    gateway = Gateway(settings)
    async with gateway.started():
        transport = httpx.ASGITransport(gateway.app)
        async with httpx.AsyncClient(transport=transport, base_url=httpx.URL(settings.public_url).join("/")) as http:
            yield http


@pytest.mark.parametrize("provider", PAGES)
async def test_whole_way_works_without_a_network(client: GraphQLClient, http: httpx.AsyncClient, provider: str) -> None:
    grace = demo_person(http, "grace@example.com", name="Grace Hopper")

    first = (await sign_in(client, grace, provider)).expect("SessionStarted")
    second = (await sign_in(client, grace, provider)).expect("SessionStarted")

    account = await me(client.bearing(second["token"]))
    assert account["email"] == "grace@example.com"
    assert [identity["displayName"] for identity in account["socialIdentities"]] == ["Grace Hopper"]
    assert second["account"]["id"] == first["account"]["id"]


@pytest.mark.parametrize("provider", PAGES)
async def test_page_says_what_it_is_and_runs_nothing(
    client: GraphQLClient, http: httpx.AsyncClient, provider: str
) -> None:
    started = await begin(client, provider)

    page = await http.get(started["authorizationUrl"])

    policy = page.headers["content-security-policy"]
    assert started["authorizationUrl"].startswith(f"http://localhost:8000{PAGES[provider]}?")
    assert "It is a stand-in that Gatehouse brings along for development" in page.text
    assert "<script" not in page.text
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self' http://localhost:8000; base-uri 'none'; frame-ancestors 'none'" in policy


@pytest.mark.parametrize("provider", PAGES)
async def test_person_who_refuses_comes_back_without_a_code(
    client: GraphQLClient, http: httpx.AsyncClient, provider: str
) -> None:
    started = await begin(client, provider)

    answer = await http.post(started["authorizationUrl"], data={"email": "grace@example.com", "deny": "yes"})

    assert query_of(answer.headers["location"]) == {"error": "access_denied", "state": started["state"]}


async def test_unverified_person_gets_no_account(client: GraphQLClient, http: httpx.AsyncClient) -> None:
    answers = [
        await sign_in(client, demo_person(http, "grace@example.com", verified=False), provider) for provider in PAGES
    ]

    assert [answer.expect("Refused")["code"] for answer in answers] == ["EMAIL_NOT_VERIFIED_BY_PROVIDER"] * 2
    assert await Account.all().count() == 0


@pytest.mark.parametrize("provider", PAGES)
@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": ""},
        {"client_id": "another"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
    ],
)
async def test_page_sends_nobody_where_the_gateway_did_not(
    client: GraphQLClient, http: httpx.AsyncClient, provider: str, changed: dict[str, str]
) -> None:
    asked = query_of((await begin(client, provider))["authorizationUrl"]) | changed

    seen = await http.get(PAGES[provider], params=asked)
    sent = await http.post(PAGES[provider], params=asked, data={"email": "grace@example.com"})

    assert (seen.status_code, sent.status_code) == (400, 400)
    assert "location" not in sent.headers
    assert "evil" not in seen.text


@pytest.mark.parametrize("content", [b"", b"email=", b"email=" + b"x" * 255, b"x" * 20_000, b"&a=1" * 100, b"\xff"])
async def test_form_without_an_address_is_shown_again(
    client: GraphQLClient, http: httpx.AsyncClient, content: bytes
) -> None:
    started = await begin(client, "GOOGLE")

    answer = await http.post(started["authorizationUrl"], content=content)

    assert answer.status_code == 200
    assert "Type an address." in answer.text


async def test_what_is_typed_is_no_markup(client: GraphQLClient, http: httpx.AsyncClient) -> None:
    mallory = demo_person(http, "mallory@example.com", name='"><script>alert(1)</script>')

    session = (await sign_in(client, mallory, "GITHUB")).expect("SessionStarted")

    (identity,) = session["account"]["socialIdentities"]
    assert identity["displayName"] == '"><script>alert(1)</script>'


@pytest.mark.parametrize("provider", PAGES)
async def test_code_needs_its_own_verifier_and_its_own_provider(
    client: GraphQLClient, http: httpx.AsyncClient, provider: str
) -> None:
    grace = demo_person(http, "grace@example.com")
    stolen = query_of(await grace((await begin(client, provider))["authorizationUrl"]))["code"]
    started = [await begin(client, name) for name in PAGES]

    answers = [await Return(attempt["handle"], attempt["state"], stolen).complete(client) for attempt in started]

    assert [answer.expect("Refused")["code"] for answer in answers] == ["PROVIDER_REFUSED"] * 2
    assert await SocialLogin.all().count() == 0


async def test_tokens_of_github_s_stand_in_cannot_be_made_up(http: httpx.AsyncClient) -> None:
    answers = [
        await http.get(path, headers=headers)
        for path in ENDPOINTS[-2:]
        for headers in ({}, {"authorization": "Bearer made-up"}, {"authorization": "Bearer "})
    ]

    assert {answer.status_code for answer in answers} == {401}


async def test_production_has_none(settings: Settings) -> None:
    production = Settings(
        environment="production",
        database_url=settings.database_url,
        secret_keys=(secrets.token_bytes(32),),
        public_url="https://accounts.example.org",
    )

    async with visiting(production) as http:
        pages = [await http.get(path) for path in ENDPOINTS] + [await http.post(path) for path in ENDPOINTS]
        client = GraphQLClient(http)
        options = (await client.run(OPTIONS)).root
        uri = "https://accounts.example.org/graphql"
        begun = [await client.run(BEGIN, provider=provider, redirectUri=uri) for provider in PAGES]

    assert {page.status_code for page in pages} == {404}
    assert options == {"socialProviders": []}
    assert [answer.expect("Refused")["code"] for answer in begun] == ["PROVIDER_UNAVAILABLE"] * 2


async def test_configured_provider_has_no_stand_in(settings: Settings) -> None:
    half = settings.model_copy(update={"github_client_id": "real", "github_client_secret": "secret"})

    async with visiting(half) as http:
        pages = {path: (await http.get(path)).status_code for path in PAGES.values()}
        options = (await GraphQLClient(http).run(OPTIONS)).root
        started = await begin(GraphQLClient(http), "GITHUB")

    assert pages == {PAGES["GOOGLE"]: 400, PAGES["GITHUB"]: 404}
    assert options == {"socialProviders": ["GOOGLE", "GITHUB"]}
    assert started["authorizationUrl"].startswith("https://github.com/login/oauth/authorize?")
    assert query_of(started["authorizationUrl"])["client_id"] == "real"


@pytest.mark.parametrize(
    ("public_url", "base"),
    [
        ("http://localhost:3000", "http://localhost:8123"),
        ("http://127.0.0.1:3000/app", "http://127.0.0.1:8123"),
        ("http://[::1]:8000", "http://[::1]:8123"),
        ("https://accounts.dev.example", "https://accounts.dev.example"),
    ],
)
@pytest.mark.parametrize("provider", PAGES)
async def test_pages_are_where_the_gateway_is_and_not_its_front_end(
    settings: Settings, public_url: str, base: str, provider: str
) -> None:
    moved = settings.model_copy(
        update={"public_url": public_url, "port": 8123, "social_redirect_uris": (f"{public_url}/signed-in",)}
    )

    async with visiting(moved) as http:
        client = GraphQLClient(http)
        begun = await client.run(BEGIN, provider=provider, redirectUri=f"{public_url}/signed-in")
        started = begun.expect("SocialLoginStarted")
        location = await demo_person(http, "grace@example.com")(started["authorizationUrl"])
        back = query_of(location)
        answer = await client.run(COMPLETE, handle=started["handle"], state=back["state"], code=back["code"])

    assert started["authorizationUrl"].startswith(f"{base}{PAGES[provider]}?")
    assert location.startswith(f"{public_url}/signed-in?")
    answer.expect("SessionStarted")


@pytest.mark.process
async def test_any_worker_knows_what_another_one_gave_out(tmp_path: Path) -> None:
    with running_gateway(tmp_path, {"GATEHOUSE_WORKERS": "2", "GATEHOUSE_RATE_LIMITS": "off"}) as gateway:
        outcomes = [await one_way(gateway.base_url, number) for number in range(12)]

    assert outcomes == ["SessionStarted"] * 12


async def one_way(base_url: str, number: int) -> str:
    """A social login in which each step may reach another worker; what it ends in."""
    async with httpx.AsyncClient(base_url=base_url, headers={"connection": "close"}) as http:
        client = GraphQLClient(http)
        provider = list(PAGES)[number % 2]
        begun = await client.run(BEGIN, provider=provider, redirectUri=f"{base_url}/graphql")
        started = begun.expect("SocialLoginStarted")
        location = await demo_person(http, f"{provider.lower()}@example.com")(started["authorizationUrl"])
        code = query_of(location)["code"]
        answer = await client.run(COMPLETE, handle=started["handle"], state=started["state"], code=code)
        return str(answer.root["__typename"])
