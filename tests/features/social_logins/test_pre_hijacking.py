"""An account that a stranger prepared is never the one that the address's owner comes into.

The shapes are those of "Pre-hijacked accounts" (USENIX Security 2022).
"""

from models import Account, PendingSignUp, SocialLogin
from tests.features.test_email_changes import ask, confirm
from tests.support.github_double import GitHubDouble
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.oidc_provider import OidcProvider
from tests.support.people import COMPLETE_SIGN_UP, PASSWORD, SIGN_UP, sign_up
from tests.support.social import me, sign_in

VICTIM = "octo@example.com"
LOG_IN = """
mutation ($email: EmailAddress!, $password: Secret!) {
  logIn(input: {email: $email, password: $password}) { __typename }
}
"""


async def test_stranger_s_password_does_not_outlive_the_owner_s_social_login(
    client: GraphQLClient, mailbox: Mailbox, github: GitHubDouble
) -> None:
    """Classic-federated merge: the stranger signed up first, with a password of his own."""
    prepared = (await client.run(SIGN_UP, email=VICTIM.title(), password=PASSWORD)).expect("SignUpStarted")
    code = await mailbox.code(prepared["email"])

    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    completed = await client.run(COMPLETE_SIGN_UP, token=prepared["signUpToken"], code=code)
    logged_in = await client.run(LOG_IN, email=VICTIM, password=PASSWORD)
    assert completed.expect("InvalidToken")
    assert logged_in.root["__typename"] == "InvalidCredentials"
    assert (await me(client.bearing(session["token"])))["hasPassword"] is False
    assert await Account.all().count() == 1
    assert await PendingSignUp.all().count() == 0


async def test_stranger_holds_no_session_before_the_owner_comes(
    client: GraphQLClient, mailbox: Mailbox, github: GitHubDouble
) -> None:
    """Unexpired session: what a sign-up gives out before its code opens nothing, before and after."""
    prepared = (await client.run(SIGN_UP, email=VICTIM, password=PASSWORD)).expect("SignUpStarted")
    as_bearer = client.bearing(prepared["signUpToken"])
    before = await as_bearer.run("{ viewer { id } }")

    (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    after = await as_bearer.run("{ viewer { id } }")
    assert [answer.error_codes for answer in (before, after)] == [["UNAUTHENTICATED"]] * 2


async def test_identity_with_the_owner_s_address_elsewhere_opens_nothing_of_his(
    client: GraphQLClient, mailbox: Mailbox, google: OidcProvider, github: GitHubDouble
) -> None:
    """Trojan identifier: the stranger linked an identity that bears the address to an account of his own."""
    stranger = await sign_up(client, mailbox, email="stranger@example.com")
    trojan = google.person("trojan", email=VICTIM, email_verified=False)
    (await sign_in(stranger.client, trojan, link=True)).expect("SocialIdentityLinked")

    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    through_trojan = (await sign_in(client, trojan)).expect("SessionStarted")
    owner = await me(client.bearing(session["token"]))
    assert through_trojan["account"]["id"] == stranger.account_id != owner["id"]
    assert [identity["provider"] for identity in owner["socialIdentities"]] == ["GITHUB"]


async def test_provider_that_verifies_nothing_prepares_no_account(
    client: GraphQLClient, google: OidcProvider, github: GitHubDouble
) -> None:
    """Non-verifying provider: the stranger came first, with the address as somebody's word."""
    stranger = google.person("word", email=VICTIM, email_verified=False)
    first = (await sign_in(client, stranger)).expect("Refused")

    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    again = (await sign_in(client, stranger)).expect("Refused")
    assert (first["code"], again["code"]) == ("EMAIL_NOT_VERIFIED_BY_PROVIDER",) * 2
    (login,) = await SocialLogin.all()
    assert (login.provider, session["account"]["email"]) == ("GITHUB", VICTIM)


async def test_stranger_s_pending_change_to_the_address_comes_to_nothing(
    client: GraphQLClient, mailbox: Mailbox, github: GitHubDouble
) -> None:
    """Unexpired e-mail change: the stranger asked to move his account to the address before its owner came."""
    stranger = await sign_up(client, mailbox, email="stranger@example.com")
    (await ask(stranger.client, VICTIM)).expect("EmailChangeStarted")
    code = await mailbox.code(VICTIM)

    session = (await sign_in(client, github.approve, "GITHUB")).expect("SessionStarted")

    # Even with the code, which only the owner of the mailbox can have read.
    refused = (await confirm(stranger.client, code)).expect("Refused")
    assert refused["code"] == "CONFLICT"
    assert (await me(stranger.client))["email"] == stranger.email
    assert session["account"]["email"] == VICTIM
    assert session["account"]["id"] != stranger.account_id
