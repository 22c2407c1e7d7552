import asyncio
from datetime import timedelta

import pytest

from kit import clock
from models import FleetInvitation, Membership
from models.members import MAX_MEMBERS
from tests.support.fleets import (
    ACCEPT,
    INVITE,
    invite,
    join,
    mailed_token,
    make_fleet,
    seen_fleet,
)
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up

DECLINE = """
mutation ($token: Secret!) {
  declineFleetInvitation(token: $token) { __typename ... on InvitationClosed { id } ... on UserError { code message } }
}
"""
WITHDRAW = """
mutation ($id: ID!) {
  withdrawFleetInvitation(id: $id) { __typename ... on InvitationClosed { id } ... on UserError { code message } }
}
"""
LANDING = "query ($token: Secret!) { fleetInvitation(token: $token) { id fleetName email role invitedBy expiresAt } }"
VIEWER = """
{
  viewer {
    fleets { nodes { id name viewerRole } }
    invitations { totalCount nodes { id fleetName role invitedBy } }
    securityEvents { nodes { kind ipAddress details } }
  }
}
"""
LOG_IN = """
mutation ($email: EmailAddress!) {
  logIn(input: {email: $email, password: "a long enough passphrase"}) { ... on SessionStarted { token } }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"


async def test_invited_address_joins_with_the_mailed_token(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    sent = (await ann.client.run(INVITE, fleetId=fleet_id, email=bob.email, role="OPERATOR")).expect("InvitationSent")
    waiting = (await bob.client.run(VIEWER)).root
    token = await mailed_token(mailbox, bob.email)

    joined = (await bob.client.run(ACCEPT, token=token)).expect("MemberChanged")["member"]
    again = (await bob.client.run(ACCEPT, token=token)).expect("InvalidToken")

    invitation = sent["invitation"]
    assert (invitation["fleetName"], invitation["email"], invitation["role"], invitation["invitedBy"]) == (
        "Harbour",
        bob.email,
        "OPERATOR",
        ann.email,
    )
    assert [offered["id"] for offered in waiting["invitations"]["nodes"]] == [invitation["id"]]
    assert (joined["email"], joined["role"], joined["fleet"]["viewerRole"]) == (bob.email, "OPERATOR", "OPERATOR")
    assert again["code"] == "INVALID_TOKEN"
    assert (await bob.client.run(VIEWER)).root["invitations"]["totalCount"] == 0
    assert [member["email"] for member in (await seen_fleet(bob, fleet_id))["members"]["nodes"]] == [
        ann.email,
        bob.email,
    ]
    assert bob.email in (await mailbox.newest(ann.email))["text"]


async def test_only_a_digest_of_the_token_is_stored(ann: Person, mailbox: Mailbox) -> None:
    await invite(ann, await make_fleet(ann), "new@example.com")

    token = await mailed_token(mailbox, "new@example.com")

    stored = await FleetInvitation.all().values()
    assert token.startswith("invitation_")
    assert token not in str(stored)


async def test_invitation_says_nothing_about_accounts(ann: Person, bob: Person) -> None:
    fleet_id = await make_fleet(ann)

    known = await ann.client.run(INVITE, fleetId=fleet_id, email=bob.email, role="OBSERVER")
    unknown = await ann.client.run(INVITE, fleetId=fleet_id, email="zed@example.com", role="OBSERVER")

    shapes = [answer.expect("InvitationSent")["invitation"] for answer in (known, unknown)]
    for shape, email in zip(shapes, (bob.email, "zed@example.com"), strict=True):
        assert shape.pop("email") == email
        assert len(shape.pop("id")) == len("invitation_") + 32
        assert shape.pop("sentAt") < shape.pop("expiresAt")
    assert shapes[0] == shapes[1]
    assert len(known.response.content) == len(unknown.response.content)


async def test_landing_page_shows_the_invitation_to_whoever_holds_the_token(
    ann: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    invitation_id = await invite(ann, await make_fleet(ann), "new@example.com", "DEVELOPER")
    token = await mailed_token(mailbox, "new@example.com")

    seen = (await client.run(LANDING, token=token)).root
    wrong = [(await client.run(LANDING, token=text)).root for text in ("", "undefined", token[:-1], "\ud800")]
    clock.shift(timedelta(days=7, seconds=1))

    assert seen["id"] == invitation_id
    assert (seen["fleetName"], seen["role"], seen["invitedBy"]) == ("Harbour", "DEVELOPER", ann.email)
    assert wrong == [None, None, None, None]
    assert (await client.run(LANDING, token=token)).root is None


async def test_somebody_new_signs_up_and_joins(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    await invite(ann, fleet_id, "New@example.com")
    token = await mailed_token(mailbox, "New@example.com")
    new = await sign_up(client, mailbox, email="new@example.com")

    (await new.client.run(ACCEPT, token=token)).expect("MemberChanged")

    assert (await seen_fleet(new, fleet_id))["viewerRole"] == "OBSERVER"


async def test_other_account_cannot_accept(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    await invite(ann, fleet_id, "new@example.com")
    token = await mailed_token(mailbox, "new@example.com")

    refused = (await bob.client.run(ACCEPT, token=token)).expect("Refused")

    assert refused["code"] == "WRONG_ACCOUNT"
    assert await seen_fleet(bob, fleet_id) is None
    assert await FleetInvitation.all().count() == 1


@pytest.mark.parametrize("token", ["", "null", "undefined", "invitation_", "\u0000", "\ud800"])
async def test_wrong_token_opens_nothing(ann: Person, bob: Person, token: str) -> None:
    await invite(ann, await make_fleet(ann), bob.email)

    (await bob.client.run(ACCEPT, token=token)).expect("InvalidToken")
    (await bob.client.run(DECLINE, token=token)).expect("InvalidToken")

    assert (await FleetInvitation.all().count(), await Membership.all().count()) == (1, 1)


async def test_invitation_works_for_seven_days(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    invitation_id = await invite(ann, await make_fleet(ann), bob.email)
    clock.shift(timedelta(days=7, seconds=1))
    client = bob.client.bearing((await bob.client.bearing(None).run(LOG_IN, email=bob.email)).root["token"])

    (await client.run(ACCEPT, token=await mailed_token(mailbox, bob.email))).expect("InvalidToken")

    assert (await client.run(NODE, id=invitation_id)).root is None
    assert (await client.run(VIEWER)).root["invitations"]["totalCount"] == 0


async def test_inviting_again_replaces_the_token(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    first_id = await invite(ann, fleet_id, bob.email, "OBSERVER")
    first = await mailed_token(mailbox, bob.email)
    second_id = await invite(ann, fleet_id, "BOB@example.com", "DEVELOPER")
    second = await mailed_token(mailbox, bob.email)

    (await bob.client.run(ACCEPT, token=first)).expect("InvalidToken")
    joined = (await bob.client.run(ACCEPT, token=second)).expect("MemberChanged")

    assert first_id == second_id
    assert joined["member"]["role"] == "DEVELOPER"


async def test_declined_invitation_is_over_without_an_account(
    ann: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    fleet_id = await make_fleet(ann)
    invitation_id = await invite(ann, fleet_id, "new@example.com")
    token = await mailed_token(mailbox, "new@example.com")

    declined = (await client.run(DECLINE, token=token)).expect("InvitationClosed")
    again = (await client.run(DECLINE, token=token)).expect("InvalidToken")

    assert declined["id"] == invitation_id
    assert again["code"] == "INVALID_TOKEN"
    assert (await seen_fleet(ann, fleet_id))["invitations"]["totalCount"] == 0


async def test_withdrawn_invitation_is_over(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    invitation_id = await invite(ann, await make_fleet(ann), bob.email)
    seen = [(await person.client.run(NODE, id=invitation_id)).root for person in (ann, bob)]

    (await ann.client.run(WITHDRAW, id=invitation_id)).expect("InvitationClosed")

    assert [node["__typename"] for node in seen] == ["FleetInvitation", "FleetInvitation"]
    (await bob.client.run(ACCEPT, token=await mailed_token(mailbox, bob.email))).expect("InvalidToken")
    (await ann.client.run(WITHDRAW, id=invitation_id)).expect("NotFound")


async def test_invitation_of_an_account_goes_to_its_stored_address(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    typed = bob.email.upper()

    sent = (await ann.client.run(INVITE, fleetId=fleet_id, email=typed, role="OBSERVER")).expect("InvitationSent")

    assert sent["invitation"]["email"] == typed
    assert await mailbox.mails(typed) == []
    assert (await bob.client.run(ACCEPT, token=await mailed_token(mailbox, bob.email))).expect("MemberChanged")


async def test_guest_invites_nobody(client: GraphQLClient, ann: Person, mailbox: Mailbox) -> None:
    fleet_id, before = await make_fleet(ann), len(await mailbox.mails())

    for email, role in (("bad", "OBSERVER"), ("a@example.com", "OWNER"), ("a@example.com", "OBSERVER")):
        answer = await client.run(INVITE, fleetId=fleet_id, email=email, role=role)
        assert answer.error_codes == ["UNAUTHENTICATED"]

    assert len(await mailbox.mails()) == before


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "m\u0131ke@example.com", "a@example.com,b@example.com"])
async def test_unusable_address_is_not_invited(ann: Person, mailbox: Mailbox, email: str) -> None:
    fleet_id = await make_fleet(ann)
    before = len(await mailbox.mails())

    answer = (await ann.client.run(INVITE, fleetId=fleet_id, email=email, role="OBSERVER")).expect("InvalidInput")

    assert answer["fields"][0]["path"] == "input.email"
    assert len(await mailbox.mails()) == before


async def test_members_are_not_invited_again(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    await join(ann, fleet_id, bob, mailbox)

    for email in (ann.email, bob.email.upper()):
        answer = await ann.client.run(INVITE, fleetId=fleet_id, email=email, role="OBSERVER")
        assert answer.expect("Refused")["code"] == "ALREADY_A_MEMBER"

    assert await FleetInvitation.all().count() == 0


async def test_invitations_are_capped_a_day_and_nobody_else_uses_them_up(ann: Person, bob: Person) -> None:
    fleet_id = await make_fleet(ann)
    for number in range(50):
        (await bob.client.run(INVITE, fleetId=fleet_id, email=f"n{number}@example.com", role="OBSERVER")).expect(
            "NotFound"
        )
    for _ in range(50):
        await invite(ann, fleet_id, "new@example.com")

    refused = (await ann.client.run(INVITE, fleetId=fleet_id, email="x@example.com", role="OBSERVER")).expect(
        "TooManyAttempts"
    )

    assert refused["retryAfterSeconds"] > 0
    assert await FleetInvitation.all().count() == 1


async def test_members_and_open_invitations_fill_a_fleet(ann: Person) -> None:
    fleet_id = await make_fleet(ann)
    first_id = await invite(ann, fleet_id, "first@example.com")
    pattern = await FleetInvitation.get()
    others = MAX_MEMBERS - 2
    await FleetInvitation.bulk_create(
        [
            FleetInvitation(
                fleet_id=pattern.fleet_id,
                token_digest=f"{n}",
                email=f"n{n}@example.com",
                email_canonical=f"n{n}@example.com",
                role="OBSERVER",
                sent_at=pattern.sent_at,
                expires_at=pattern.expires_at,
            )
            for n in range(others)
        ]
    )

    full = await ann.client.run(INVITE, fleetId=fleet_id, email="more@example.com", role="OBSERVER")
    again = await ann.client.run(INVITE, fleetId=fleet_id, email="first@example.com", role="OBSERVER")
    await ann.client.run(WITHDRAW, id=first_id)
    after = await ann.client.run(INVITE, fleetId=fleet_id, email="more@example.com", role="OBSERVER")

    assert full.expect("LimitReached")["limit"] == MAX_MEMBERS
    again.expect("InvitationSent")
    after.expect("InvitationSent")


async def test_token_lets_one_request_in(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    fleet_id = await make_fleet(ann)
    await invite(ann, fleet_id, bob.email)
    token = await mailed_token(mailbox, bob.email)

    answers = await asyncio.gather(*(bob.client.run(ACCEPT, token=token) for _ in range(8)))

    assert sorted(answer.root["__typename"] for answer in answers) == ["InvalidToken"] * 7 + ["MemberChanged"]
    assert (await seen_fleet(ann, fleet_id))["members"]["totalCount"] == 2
