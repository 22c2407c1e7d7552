import asyncio
from datetime import timedelta

import pytest

from kit import clock, tokens
from models import Account, SocialLogin, SocialLoginAttempt
from resolvers import upkeep
from tests.support.github_double import GitHubDouble
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.oidc_provider import OidcProvider
from tests.support.people import Person
from tests.support.social import (
    BEGIN,
    COMPLETE,
    REDIRECT_URI,
    Return,
    begin,
    go_there_and_back,
    kinds,
    me,
    query_of,
    sign_in,
)


async def nobody_came_in() -> bool:
    return await SocialLogin.all().count() == 0 and await Account.filter(password_hash=None).count() == 0


async def test_new_person_gets_an_account_without_a_password(client: GraphQLClient, google: OidcProvider) -> None:
    ida = google.person("ida", email="Ida@example.com", email_verified=True, name="Ida Rhodes")

    session = (await sign_in(client, ida)).expect("SessionStarted")

    account = await me(client.bearing(session["token"]))
    assert (account["email"], account["hasPassword"]) == ("Ida@example.com", False)
    assert [identity["displayName"] for identity in account["socialIdentities"]] == ["Ida Rhodes"]
    assert account["authentication"]["methods"] == ["SOCIAL"]
    assert account["securityEvents"]["nodes"] == [{"kind": "SIGNED_UP", "details": {"provider": "GOOGLE"}}]


async def test_github_is_known_by_number_and_primary_address(client: GraphQLClient, github: GitHubDouble) -> None:
    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")
    github.user |= {"login": "renamed"}
    again = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")
    github.user |= {"id": 583232, "login": "octocat"}
    other = (await sign_in(client, github.approve, "GITHUB")).expect("Refused")

    (login,) = await SocialLogin.all()
    assert login.subject == "583231"
    assert session["account"]["email"] == "octo@example.com"
    assert again["account"]["id"] == session["account"]["id"]
    assert other["code"] == "ACCOUNT_EXISTS"


async def test_changed_address_at_the_provider_changes_nothing_here(
    client: GraphQLClient, google: OidcProvider, bob: Person
) -> None:
    before = google.person("joan", email="joan@example.com", email_verified=True)
    first = (await sign_in(client, before)).expect("SessionStarted")
    after = google.person("joan", email=bob.email, email_verified=False)

    second = (await sign_in(client, after)).expect("SessionStarted")

    account = await me(client.bearing(second["token"]))
    assert account["id"] == first["account"]["id"] != bob.account_id
    assert account["email"] == "joan@example.com"
    assert kinds(account) == ["SIGNED_IN", "SIGNED_UP"]


async def test_same_address_under_another_subject_is_another_person(
    client: GraphQLClient, google: OidcProvider
) -> None:
    (await sign_in(client, google.person("one", email="kay@example.com", email_verified=True))).expect("SessionStarted")

    other = await sign_in(client, google.person("two", email="kay@example.com", email_verified=True))

    assert other.expect("Refused")["code"] == "ACCOUNT_EXISTS"
    assert await SocialLogin.all().count() == 1


async def test_address_of_an_account_never_links_by_itself(
    client: GraphQLClient, google: OidcProvider, mailbox: Mailbox, ann: Person
) -> None:
    mails = await mailbox.mails()

    answer = await sign_in(client, google.person("ann", email="ANN@Example.com", email_verified=True))

    account = await me(ann.client)
    assert answer.expect("Refused")["code"] == "ACCOUNT_EXISTS"
    assert await nobody_came_in()
    assert (account["hasPassword"], account["socialIdentities"], kinds(account)) == (True, [], ["SIGNED_UP"])
    assert await mailbox.mails() == mails


@pytest.mark.parametrize("verified", [False, "true", "True", 1, None, [True], {"is": True}])
@pytest.mark.parametrize("email", ["ann@example.com", "new@example.com"])
async def test_address_counts_only_where_verified_is_true_itself(
    client: GraphQLClient, google: OidcProvider, ann: Person, verified: object, email: str
) -> None:
    answer = await sign_in(client, google.person("liar", email=email, email_verified=verified))

    assert answer.expect("Refused")["code"] == "EMAIL_NOT_VERIFIED_BY_PROVIDER"
    assert await nobody_came_in()


@pytest.mark.parametrize("claims", [{}, {"email": "not an address"}, {"email": 7}, {"email": "a\u0000@example.com"}])
async def test_person_without_a_usable_address_gets_no_account(
    client: GraphQLClient, google: OidcProvider, claims: dict[str, object]
) -> None:
    answer = await sign_in(client, google.person("bare", email_verified=True, **claims))

    assert answer.expect("Refused")["code"] == "EMAIL_NOT_VERIFIED_BY_PROVIDER"
    assert await nobody_came_in()


@pytest.mark.parametrize(
    "emails",
    [
        [],
        [{"email": "octo@example.com", "primary": True, "verified": False}],
        [{"email": "octo@example.com", "primary": True, "verified": "true"}],
        [{"email": "octo@example.com", "primary": False, "verified": True}],
        [{"email": "octo@example.com", "primary": 1, "verified": 1}],
        ["octo@example.com", None, {"primary": True, "verified": True}],
    ],
)
async def test_github_address_counts_only_where_primary_and_verified(
    client: GraphQLClient, github: GitHubDouble, emails: list[object]
) -> None:
    github.emails = emails

    answer = await sign_in(client, github.approve, "GITHUB")

    assert answer.expect("Refused")["code"] == "EMAIL_NOT_VERIFIED_BY_PROVIDER"
    assert await nobody_came_in()


async def test_authorization_asks_with_state_nonce_and_challenge(client: GraphQLClient, google: OidcProvider) -> None:
    asked = [query_of((await begin(client, "GOOGLE"))["authorizationUrl"]) for _ in range(2)]

    assert [query["code_challenge_method"] for query in asked] == ["S256", "S256"]
    assert all(query["redirect_uri"] == REDIRECT_URI for query in asked)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert min(len(query[name]) for query in asked) >= 22


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8000/graphql/",
        "http://localhost:8000/graphql?next=//evil.example",
        "http://LOCALHOST:8000/graphql",
        "http://localhost:8000/graphql\n",
        "https://evil.example/graphql",
        "//evil.example",
        "",
        "\ud800",
    ],
)
async def test_only_listed_addresses_are_come_back_to(
    client: GraphQLClient, google: OidcProvider, address: str
) -> None:
    answer = (await client.run(BEGIN, provider="GOOGLE", redirectUri=address)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["input.redirectUri"]


async def test_handle_and_state_are_used_once(client: GraphQLClient, google: OidcProvider) -> None:
    ida = google.person("once", email="once@example.com", email_verified=True)
    back = await go_there_and_back(client, ida)
    (await back.complete(client)).expect("SessionStarted")
    fresh_code = query_of(await ida((await begin(client, "GOOGLE"))["authorizationUrl"]))["code"]

    again = await Return(back.handle, back.state, fresh_code).complete(client)

    assert again.expect("InvalidToken")["code"] == "INVALID_TOKEN"


async def test_parallel_completions_of_one_attempt_let_one_in(client: GraphQLClient, github: GitHubDouble) -> None:
    back = await go_there_and_back(client, github.approve, "GITHUB")

    answers = await asyncio.gather(*(back.complete(client) for _ in range(8)))

    assert sorted(answer.root["__typename"] for answer in answers) == ["InvalidToken"] * 7 + ["SessionStarted"]
    assert github.paths_asked().count("/login/oauth/access_token") == 1


async def test_parallel_arrivals_of_one_new_person_make_one_account(
    client: GraphQLClient, github: GitHubDouble
) -> None:
    ways = [await go_there_and_back(client, github.approve, "GITHUB") for _ in range(6)]

    answers = await asyncio.gather(*(way.complete(client) for way in ways))

    accounts = {answer.expect("SessionStarted")["account"]["id"] for answer in answers}
    assert len(accounts) == 1
    assert await SocialLogin.all().count() == 1


@pytest.mark.parametrize("wrong", ["handle", "state", "both swapped", "another attempt's state"])
async def test_wrong_handle_or_state_opens_nothing_and_spoils_nothing(
    client: GraphQLClient, github: GitHubDouble, wrong: str
) -> None:
    back = await go_there_and_back(client, github.approve, "GITHUB")
    other = await begin(client, "GITHUB")
    tampered = {
        "handle": Return("social_unknown", back.state, back.code),
        "state": Return(back.handle, "\ud800", back.code),
        "both swapped": Return(back.state, back.handle, back.code),
        "another attempt's state": Return(back.handle, other["state"], back.code),
    }[wrong]

    refused = (await tampered.complete(client)).expect("InvalidToken")

    assert refused["code"] == "INVALID_TOKEN"
    assert await nobody_came_in()
    assert "/login/oauth/access_token" not in github.paths_asked()
    (await back.complete(client)).expect("SessionStarted")


async def test_attempt_rests_without_its_secrets(client: GraphQLClient, github: GitHubDouble) -> None:
    started = await begin(client, "GITHUB")
    asked = query_of(started["authorizationUrl"])

    (attempt,) = await SocialLoginAttempt.all().values()

    resting = str(attempt)
    assert all(secret not in resting for secret in (started["handle"], started["state"], asked["code_challenge"]))


async def test_expired_attempts_are_purged(client: GraphQLClient, github: GitHubDouble) -> None:
    await begin(client, "GITHUB")
    clock.shift(timedelta(minutes=10))
    live = await begin(client, "GITHUB")

    removed = await upkeep.purge()

    assert removed["social_login_attempts"] == 1
    (attempt,) = await SocialLoginAttempt.all()
    assert attempt.handle_digest == tokens.digest(live["handle"])


async def test_nothing_of_an_attempt_is_a_bearer_token(client: GraphQLClient, github: GitHubDouble) -> None:
    back = await go_there_and_back(client, github.approve, "GITHUB")

    answers = [await client.bearing(text).run("{ viewer { id } }") for text in (back.handle, back.state, back.code)]

    assert [answer.status for answer in answers] == [401] * 3
    assert [answer.error_codes for answer in answers] == [["UNAUTHENTICATED"]] * 3


async def test_attempt_ends_after_ten_minutes(client: GraphQLClient, github: GitHubDouble) -> None:
    back = await go_there_and_back(client, github.approve, "GITHUB")
    clock.shift(timedelta(minutes=10))

    answer = await back.complete(client)

    assert answer.expect("InvalidToken")["code"] == "INVALID_TOKEN"
    assert await nobody_came_in()


@pytest.mark.parametrize("code", ["", "made up", "x" * 3_000, "a\u0000b", "\ud800", "a&code=b"])
async def test_code_that_is_none_is_refused(client: GraphQLClient, github: GitHubDouble, code: str) -> None:
    started = await begin(client, "GITHUB")

    answer = await client.run(COMPLETE, handle=started["handle"], state=started["state"], code=code)

    assert answer.expect("Refused")["code"] == "PROVIDER_REFUSED"
    assert await nobody_came_in()


async def test_code_of_another_attempt_is_refused(client: GraphQLClient, github: GitHubDouble) -> None:
    stolen = await go_there_and_back(client, github.approve, "GITHUB")
    started = await begin(client, "GITHUB")

    answer = await Return(started["handle"], started["state"], stolen.code).complete(client)

    # The challenge that the code was given for is not the one of this attempt's verifier.
    assert answer.expect("Refused")["code"] == "PROVIDER_REFUSED"
    assert await nobody_came_in()


async def test_code_of_another_provider_is_refused(
    client: GraphQLClient, google: OidcProvider, github: GitHubDouble
) -> None:
    at_google = await go_there_and_back(
        client, google.person("mixed", email="mixed@example.com", email_verified=True), "GOOGLE"
    )
    started = await begin(client, "GITHUB")

    answer = await Return(started["handle"], started["state"], at_google.code).complete(client)

    assert answer.expect("Refused")["code"] == "PROVIDER_REFUSED"
    assert await nobody_came_in()


async def test_completions_are_capped_a_client_address(client: GraphQLClient, github: GitHubDouble) -> None:
    answers = [await Return("social_guess", "guess", "guess").complete(client) for _ in range(60)]
    back = await go_there_and_back(client, github.approve, "GITHUB")

    capped = (await back.complete(client)).expect("TooManyAttempts")

    assert {answer.root["__typename"] for answer in answers} == {"InvalidToken"}
    assert capped["retryAfterSeconds"] > 0
    assert await nobody_came_in()
