"""A provider that is slow, down or lying: told apart, within five seconds, and nobody comes in."""

import asyncio
import json
import time
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey, KeySet

from tests.support.github_double import EMAILS, USER, GitHubDouble
from tests.support.github_double import TOKEN as GITHUB_TOKEN
from tests.support.graphql_client import GraphQLClient
from tests.support.http_double import Reply, reply
from tests.support.openid_double import CLIENT_SECRET, DISCOVERY, KEYS, TOKEN, OpenIdDouble
from tests.support.people import Person
from tests.support.social import BEGIN, REDIRECT_URI, go_there_and_back, refusal, sign_in

sqlite_only = pytest.mark.parametrize("database_source", ["sqlite"], indirect=True)
"""For what never comes as far as the database."""


@pytest.fixture
def google_issuer(openid: OpenIdDouble) -> str:
    return openid.url


async def test_honest_double_lets_in(client: GraphQLClient, openid: OpenIdDouble) -> None:
    session = (await sign_in(client, openid.approve)).expect("SessionStarted")
    again = (await sign_in(client, openid.approve)).expect("SessionStarted")

    assert again["account"]["id"] == session["account"]["id"]
    # Its configuration and its keys are remembered.
    assert openid.paths_asked() == [DISCOVERY, TOKEN, KEYS, TOKEN]


@pytest.mark.parametrize("name", ["second", "first", None], ids=["another name", "the same name", "no name"])
async def test_provider_may_change_its_keys(client: GraphQLClient, openid: OpenIdDouble, name: str | None) -> None:
    (await sign_in(client, openid.approve)).expect("SessionStarted")
    openid.key = ECKey.generate_key("P-256", {"kid": name} if name else None)

    (await sign_in(client, openid.approve)).expect("SessionStarted")

    assert openid.paths_asked().count(KEYS) == 2


async def test_keys_of_kinds_that_nobody_asked_for_are_left_alone(client: GraphQLClient, openid: OpenIdDouble) -> None:
    published = KeySet([openid.key]).as_dict(private=False)["keys"]
    others = [{"kty": "oct", "k": "c2hvcnQ"}, {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}, "nonsense", None]
    openid.answerers[KEYS] = lambda _: reply({"keys": [*others, *published]})

    (await sign_in(client, openid.approve)).expect("SessionStarted")


async def test_issuer_may_end_in_a_slash(client: GraphQLClient, openid: OpenIdDouble) -> None:
    honest = openid.answerers[DISCOVERY]
    openid.answerers[DISCOVERY] = lambda asked: reply(json.loads(honest(asked).body) | {"issuer": f"{openid.url}/"})
    openid.claims = {"iss": f"{openid.url}/"}
    (await sign_in(client, openid.approve)).expect("SessionStarted")

    openid.claims = {"iss": openid.url}
    answer = await sign_in(client, openid.approve)

    assert answer.expect("Refused")["code"] == "PROVIDER_REFUSED"


@sqlite_only
async def test_configuration_of_another_issuer_is_refused(client: GraphQLClient, openid: OpenIdDouble) -> None:
    honest = openid.answerers[DISCOVERY]
    openid.answerers[DISCOVERY] = lambda asked: reply(
        json.loads(honest(asked).body) | {"issuer": "https://accounts.evil.example"}
    )

    answer = await client.run(BEGIN, provider="GOOGLE", redirectUri=REDIRECT_URI)

    assert answer.expect("Refused")["code"] == "PROVIDER_REFUSED"


ELSEWHERE = Reply(status=302, headers={"location": "http://127.0.0.1:1/"})
NONSENSE = {
    "redirect": ELSEWHERE,
    "server error": reply({"error": "server_error"}, status=500),
    "too many": reply({}, status=429),
    "html": Reply(b"<html>", content_type="text/html"),
    "broken json": Reply(b'{"keys": ['),
    "deep json": Reply(b"[" * 100_000),
    "no object": reply("text"),
    "empty object": reply({}),
    "numbers for texts": reply(dict.fromkeys(["issuer", "id_token", "access_token", "keys", "id"], 7.5)),
    "no content": Reply(b"", status=204),
    "compressed": Reply(b"\x1f\x8b", headers={"content-encoding": "gzip"}),
    "half a character": Reply(b'{"access_token": "\\ud800", "id_token": "\\ud800"}'),
}


@sqlite_only
@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("path", [DISCOVERY, TOKEN, KEYS])
async def test_openid_provider_that_talks_nonsense_is_unavailable(
    client: GraphQLClient, openid: OpenIdDouble, path: str, nonsense: str
) -> None:
    openid.answerers[path] = lambda _: NONSENSE[nonsense]
    if path == DISCOVERY:
        answer = await client.run(BEGIN, provider="GOOGLE", redirectUri=REDIRECT_URI)
        assert answer.expect("Refused")["code"] == "PROVIDER_UNAVAILABLE"
        return

    assert await refusal(client, openid.approve) == "PROVIDER_UNAVAILABLE"


@sqlite_only
@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("path", [GITHUB_TOKEN, USER, EMAILS])
async def test_github_that_talks_nonsense_is_unavailable(
    client: GraphQLClient, github: GitHubDouble, path: str, nonsense: str
) -> None:
    github.answerers[path] = lambda _: NONSENSE[nonsense]

    assert await refusal(client, github.approve, "GITHUB") == "PROVIDER_UNAVAILABLE"


@sqlite_only
@pytest.mark.parametrize("number", [None, "583231", 0, -1, True, 1.5, [1]])
async def test_github_user_without_a_number_is_nobody(
    client: GraphQLClient, github: GitHubDouble, number: object
) -> None:
    github.user = {"id": number, "login": "octocat"}

    assert await refusal(client, github.approve, "GITHUB") == "PROVIDER_UNAVAILABLE"


@sqlite_only
async def test_redirect_is_not_followed(client: GraphQLClient, openid: OpenIdDouble, github: GitHubDouble) -> None:
    inside = Reply(status=307, headers={"location": f"{openid.url}/inside"})
    github.answerers[GITHUB_TOKEN] = lambda _: inside

    code = await refusal(client, github.approve, "GITHUB")

    assert code == "PROVIDER_UNAVAILABLE"
    assert openid.asked == []


@sqlite_only
@pytest.mark.parametrize(("provider", "path"), [("GOOGLE", TOKEN), ("GITHUB", USER)])
async def test_answer_of_fifty_megabytes_is_not_read(
    client: GraphQLClient, openid: OpenIdDouble, github: GitHubDouble, provider: str, path: str
) -> None:
    double: OpenIdDouble | GitHubDouble = openid if provider == "GOOGLE" else github
    double.answerers[path] = lambda _: Reply(b'{"id": 1}', mebibytes=50)

    code = await refusal(client, double.approve, provider)

    assert code == "PROVIDER_UNAVAILABLE"
    assert double.mebibytes_sent < 20


@sqlite_only
@pytest.mark.slow
async def test_slow_providers_are_waited_for_less_than_five_seconds_and_disturb_nobody(
    client: GraphQLClient, openid: OpenIdDouble, github: GitHubDouble, ann: Person
) -> None:
    ways = [
        await go_there_and_back(client, openid.approve),
        await go_there_and_back(client, github.approve, "GITHUB"),
    ]
    openid.silent = {TOKEN}
    github.answerers[EMAILS] = lambda _: Reply(b"[]", trickles=True)
    began = time.monotonic()

    waiting = asyncio.gather(*(way.complete(client) for way in ways))
    meanwhile = [(await ann.client.run("{ viewer { email } }")).root["email"] for _ in range(20)]
    others_took = time.monotonic() - began
    answers = await waiting

    assert [answer.expect("Refused")["code"] for answer in answers] == ["PROVIDER_UNAVAILABLE"] * 2
    assert time.monotonic() - began < 5
    assert meanwhile == [ann.email] * 20
    assert others_took < 2


@sqlite_only
@pytest.mark.slow
async def test_silent_configuration_is_waited_for_less_than_five_seconds(
    client: GraphQLClient, openid: OpenIdDouble
) -> None:
    openid.silent = {DISCOVERY}
    began = time.monotonic()

    answer = await client.run(BEGIN, provider="GOOGLE", redirectUri=REDIRECT_URI)

    assert answer.expect("Refused")["code"] == "PROVIDER_UNAVAILABLE"
    assert time.monotonic() - began < 5


@sqlite_only
async def test_provider_that_is_gone_is_unavailable_and_nobody_else_is(
    client: GraphQLClient, openid: OpenIdDouble, github: GitHubDouble
) -> None:
    way = await go_there_and_back(client, openid.approve)
    openid.close()

    answer = await way.complete(client)

    assert answer.expect("Refused")["code"] == "PROVIDER_UNAVAILABLE"
    (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")


@sqlite_only
async def test_cookies_of_a_provider_are_not_kept(client: GraphQLClient, github: GitHubDouble) -> None:
    honest = github.answerers[USER]
    github.answerers[USER] = lambda asked: replace(honest(asked), headers={"set-cookie": "session=octocat; Path=/"})

    (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")
    (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    assert len(github.asked) == 6
    assert all("cookie" not in asked.headers for asked in github.asked)


@sqlite_only
async def test_client_secret_goes_to_the_token_endpoint_alone(client: GraphQLClient, openid: OpenIdDouble) -> None:
    (await sign_in(client, openid.approve)).expect("SessionStarted")

    sent = {asked.path: CLIENT_SECRET in str((asked.headers, asked.form)) for asked in openid.asked}
    assert sent == {DISCOVERY: False, TOKEN: True, KEYS: False}
