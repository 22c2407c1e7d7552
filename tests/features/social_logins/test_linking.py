import asyncio
from datetime import timedelta

import pytest

from kit import clock
from models import Account, SocialLogin, SocialLoginAttempt
from tests.support.github_double import GitHubDouble
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.oidc_provider import OidcProvider
from tests.support.people import Person
from tests.support.social import (
    BEGIN,
    REDIRECT_URI,
    UNLINK,
    Return,
    begin,
    go_there_and_back,
    kinds,
    me,
    query_of,
    sign_in,
)

CREATE_KEY = 'mutation { createApiKey(input: {name: "deploy"}) { ... on ApiKeyCreated { key } } }'
END_SESSIONS = "mutation { signOutEverywhere { ... on SessionStarted { token } } }"
NODE = "query ($id: ID!) { node(id: $id) { id ... on SocialIdentity { provider displayName linkedAt } } }"
STALE = timedelta(seconds=901)


async def link(person: Person, github: GitHubDouble) -> str:
    """Link GitHub to somebody's account; the identity's id."""
    linked = (await sign_in(person.client, github.approve, "GITHUB", link=True)).expect("SocialIdentityLinked")
    return str(linked["identity"]["id"])


async def test_linked_identity_opens_the_account(
    client: GraphQLClient, github: GitHubDouble, mailbox: Mailbox, ann: Person
) -> None:
    # What GitHub says of addresses does not matter here: the caller is known.
    github.emails = []

    linked = (await sign_in(ann.client, github.approve, "GITHUB", link=True)).expect("SocialIdentityLinked")
    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    account = await me(ann.client)
    mail = await mailbox.newest(ann.email)
    assert linked["identity"]["displayName"] == "octocat"
    assert [identity["id"] for identity in linked["account"]["socialIdentities"]] == [linked["identity"]["id"]]
    assert session["account"]["id"] == ann.account_id
    assert kinds(account) == ["SIGNED_IN", "SOCIAL_IDENTITY_LINKED", "SIGNED_UP"]
    assert account["securityEvents"]["nodes"][1]["details"]["provider"] == "GITHUB"
    assert mail["subject"] == "A GitHub account was linked to your Gatehouse account"
    assert '"octocat"' in mail["text"]
    assert "198.51.100.7" in mail["text"]


async def test_linking_twice_changes_nothing(github: GitHubDouble, mailbox: Mailbox, ann: Person) -> None:
    first = await link(ann, github)
    mails, before = await mailbox.mails(), kinds(await me(ann.client))

    second = await link(ann, github)

    assert second == first
    assert await mailbox.mails() == mails
    assert kinds(await me(ann.client)) == before


async def test_identity_of_another_account_stays_there(
    client: GraphQLClient, github: GitHubDouble, mailbox: Mailbox, ann: Person, bob: Person
) -> None:
    await link(ann, github)
    mails = await mailbox.mails()

    answer = await sign_in(bob.client, github.approve, "GITHUB", link=True)

    account = await me(bob.client)
    assert answer.expect("Refused")["code"] == "CONFLICT"
    assert (account["socialIdentities"], kinds(account)) == ([], ["SIGNED_UP"])
    assert await mailbox.mails() == mails
    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")
    assert session["account"]["id"] == ann.account_id


async def test_parallel_linkings_of_one_identity_give_it_to_one_account(
    github: GitHubDouble, ann: Person, bob: Person
) -> None:
    ways = [
        (person, await go_there_and_back(person.client, github.approve, "GITHUB", link=True)) for person in (ann, bob)
    ]

    answers = await asyncio.gather(*(way.complete(person.client) for person, way in ways))

    assert sorted(answer.root["__typename"] for answer in answers) == ["Refused", "SocialIdentityLinked"]
    assert await SocialLogin.all().count() == 1


async def test_linking_needs_a_caller(client: GraphQLClient, github: GitHubDouble) -> None:
    answer = await client.run(BEGIN, provider="GITHUB", redirectUri=REDIRECT_URI, link=True)

    assert answer.error_codes == ["UNAUTHENTICATED"]
    assert await SocialLoginAttempt.all().count() == 0


@pytest.mark.parametrize("bearer", ["stale session", "api key"])
async def test_linking_and_unlinking_need_a_fresh_sign_in(github: GitHubDouble, ann: Person, bearer: str) -> None:
    identity = await link(ann, github)
    key = (await ann.client.run(CREATE_KEY)).root["key"]
    if bearer == "stale session":
        clock.shift(STALE)
    client = ann.client if bearer == "stale session" else ann.client.bearing(key)

    linking = await client.run(BEGIN, provider="GITHUB", redirectUri=REDIRECT_URI, link=True)
    unlinking = await client.run(UNLINK, id=identity)

    assert linking.expect("StepUpRequired")["methods"] == ["PASSWORD"]
    assert unlinking.expect("StepUpRequired")["methods"] == ["PASSWORD"]
    assert await SocialLoginAttempt.all().count() == 0
    assert await SocialLogin.all().count() == 1


@pytest.mark.parametrize("finisher", ["guest", "other account", "api key", "ended session"])
async def test_what_one_account_began_to_link_nobody_else_finishes(
    client: GraphQLClient, github: GitHubDouble, mailbox: Mailbox, ann: Person, bob: Person, finisher: str
) -> None:
    key = (await ann.client.run(CREATE_KEY)).root["key"]
    back = await go_there_and_back(ann.client, github.approve, "GITHUB", link=True)
    mails = await mailbox.mails()
    if finisher == "ended session":
        token = (await ann.client.run(END_SESSIONS)).root["token"]
    else:
        token = {"guest": None, "other account": bob.token, "api key": key}[finisher]

    answer = await back.complete(client.bearing(token))

    assert answer.expect("InvalidToken")["code"] == "INVALID_TOKEN"
    assert await SocialLogin.all().count() == 0
    assert await mailbox.mails() == mails


async def test_forced_linking_leads_nowhere(
    client: GraphQLClient, google: OidcProvider, github: GitHubDouble, ann: Person, bob: Person
) -> None:
    """Bob begins to link, and makes Ann's browser go through with it; then he tries his own code in her attempt."""
    bobs = await begin(bob.client, "GITHUB", link=True)
    anns_own = await begin(ann.client, "GITHUB", link=True)
    lured = query_of(await github.approve(bobs["authorizationUrl"]))

    # Her front-end gets his state and hands it in with what it knows: her handle, her session.
    in_her_browser = await Return(anns_own["handle"], lured["state"], lured["code"]).complete(ann.client)
    # He gets hold of her code all the same, and has his own handle.
    github.user = {"id": 666, "login": "bob"}
    bobs_code = query_of(await github.approve(bobs["authorizationUrl"]))["code"]
    with_her_state = await Return(bobs["handle"], anns_own["state"], bobs_code).complete(bob.client)
    # She is made to hand in his code, in an attempt of her own.
    with_his_code = await Return(anns_own["handle"], anns_own["state"], bobs_code).complete(ann.client)

    assert in_her_browser.expect("InvalidToken")
    assert with_her_state.expect("InvalidToken")
    assert with_his_code.expect("Refused")["code"] == "PROVIDER_REFUSED"
    assert await SocialLogin.all().count() == 0


async def test_unlinked_identity_opens_nothing_any_more(
    client: GraphQLClient, github: GitHubDouble, mailbox: Mailbox, ann: Person
) -> None:
    identity = await link(ann, github)

    updated = (await ann.client.run(UNLINK, id=identity)).expect("AccountUpdated")
    again = await ann.client.run(UNLINK, id=identity)
    stranger = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    mail = await mailbox.newest(ann.email)
    assert updated["account"]["socialIdentities"] == []
    assert again.expect("NotFound")
    assert stranger["account"]["id"] != ann.account_id
    assert kinds(await me(ann.client)) == ["SOCIAL_IDENTITY_UNLINKED", "SOCIAL_IDENTITY_LINKED", "SIGNED_UP"]
    assert mail["subject"] == "A GitHub account was unlinked from your Gatehouse account"


@pytest.mark.parametrize("known", ["foreign", "unknown", "malformed", "of another kind"])
async def test_no_other_account_s_identity_is_seen_or_unlinked(
    github: GitHubDouble, ann: Person, bob: Person, known: str
) -> None:
    identity = await link(ann, github)
    wanted = {
        "foreign": identity,
        "unknown": f"identity_{'0' * 32}",
        "malformed": "identity_\ud800",
        "of another kind": identity.replace("identity", "apikey"),
    }[known]

    unlinked = await bob.client.run(UNLINK, id=wanted)
    seen = await bob.client.run(NODE, id=wanted)

    assert unlinked.expect("NotFound")["code"] == "NOT_FOUND"
    assert seen.root is None
    assert (await ann.client.run(NODE, id=identity)).root["provider"] == "GITHUB"
    assert kinds(await me(ann.client)) == ["SOCIAL_IDENTITY_LINKED", "SIGNED_UP"]


async def test_last_way_in_stays(client: GraphQLClient, github: GitHubDouble, mailbox: Mailbox) -> None:
    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")
    octo = client.bearing(session["token"])
    (identity,) = session["account"]["socialIdentities"]

    answer = await octo.run(UNLINK, id=identity["id"])

    assert answer.expect("Refused")["code"] == "LAST_WAY_IN"
    assert kinds(await me(octo)) == ["SIGNED_UP"]
    assert await mailbox.mails() == []
    (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")


async def test_two_unlinks_at_once_leave_a_way_in(
    client: GraphQLClient, google: OidcProvider, github: GitHubDouble
) -> None:
    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")
    octo = client.bearing(session["token"])
    at_google = google.person("octo", email="octo@example.com", email_verified=True)
    linked = (await sign_in(octo, at_google, link=True)).expect("SocialIdentityLinked")
    identities = [identity["id"] for identity in linked["account"]["socialIdentities"]]

    answers = await asyncio.gather(*(octo.run(UNLINK, id=identity) for identity in identities * 2))

    assert len(identities) == 2
    assert [answer.root["__typename"] for answer in answers].count("AccountUpdated") == 1
    assert {answer.root.get("code") for answer in answers} <= {None, "LAST_WAY_IN", "NOT_FOUND"}
    assert await SocialLogin.all().count() == 1


async def test_account_without_a_password_steps_up_by_a_new_social_login(
    client: GraphQLClient, google: OidcProvider, github: GitHubDouble
) -> None:
    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")
    octo = client.bearing(session["token"])
    clock.shift(STALE)
    refused = await octo.run(BEGIN, provider="GOOGLE", redirectUri=REDIRECT_URI, link=True)

    renewed = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    assert refused.expect("StepUpRequired")["methods"] == ["SOCIAL"]
    assert renewed["account"]["id"] == session["account"]["id"]
    at_google = google.person("octo2", email="octo@example.com", email_verified=True)
    (await sign_in(client.bearing(renewed["token"]), at_google, link=True)).expect("SocialIdentityLinked")


async def test_deleted_account_leaves_no_identity_and_no_attempt(github: GitHubDouble, ann: Person) -> None:
    await link(ann, github)
    await begin(ann.client, "GITHUB", link=True)

    await Account.all().delete()

    assert await SocialLogin.all().count() == 0
    assert await SocialLoginAttempt.all().count() == 0
