"""Two-factor authentication on the roads that other features open, and what their changes end."""

import httpx

from tests.features.test_password_changes import change
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.resets import mailed_token, reset
from tests.support.social import demo_person, sign_in
from tests.support.two_factor import COMPLETE, LOG_IN, enable_two_factor
from tests.support.ways_in import NEW_PASSWORD


async def test_social_login_asks_for_the_second_factor(ann: Person, http: httpx.AsyncClient) -> None:
    approve = demo_person(http, "ann.elsewhere@example.com")
    (await sign_in(ann.client, approve, link=True)).expect("SocialIdentityLinked")
    guarded = await enable_two_factor(ann)

    required = (await sign_in(guarded.guest, approve)).expect("TwoFactorRequired")
    session = (await guarded.complete(ticket=required["ticket"], code=guarded.phone.next_code())).expect(
        "SessionStarted"
    )

    assert session["account"]["id"] == ann.account_id
    assert session["account"]["authentication"]["methods"] == ["SOCIAL", "TOTP"]


async def test_reset_leaves_the_second_factor_on(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    guarded = await enable_two_factor(ann)

    (await reset(client, await mailed_token(client, mailbox))).expect("PasswordReset")

    answer = await guarded.guest.run(LOG_IN, email=ann.email, password=NEW_PASSWORD)
    assert answer.expect("TwoFactorRequired")["methods"] == ["TOTP", "RECOVERY_CODE"]


async def test_reset_ends_tickets(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    guarded = await enable_two_factor(ann)
    ticket = await guarded.ticket()

    (await reset(client, await mailed_token(client, mailbox))).expect("PasswordReset")

    code = guarded.phone.next_code()
    (await guarded.guest.run(COMPLETE, ticket=ticket, code=code)).expect("InvalidToken")


async def test_changed_password_ends_sessions_tickets_and_links(
    ann: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    guarded = await enable_two_factor(ann)
    session, ticket = await guarded.sign_in(), await guarded.ticket()
    token = await mailed_token(client, mailbox)

    secured = (await change(guarded.person.client, ann.password, NEW_PASSWORD)).expect("AccountSecured")

    ended = await session.run("{ viewer { id } }")
    alive = await guarded.guest.bearing(secured["session"]["token"]).run("{ viewer { id } }")
    (await guarded.guest.run(COMPLETE, ticket=ticket, code=guarded.phone.next_code())).expect("InvalidToken")
    (await reset(client, token)).expect("InvalidToken")
    assert (ended.status, ended.error_codes) == (401, ["UNAUTHENTICATED"])
    assert alive.root["id"] == ann.account_id
