"""What the export has to say of each table, and that none is forgotten."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
from tortoise.models import Model

import models
from models.base import Row
from resolvers.account_export import SECTIONS
from tests.features.test_email_changes import ask
from tests.support.exports import EXPORT, exported
from tests.support.fleets import add_device, invite, join, mailed_token, make_fleet, offer
from tests.support.mailbox import Mailbox
from tests.support.people import Person, sign_up
from tests.support.resets import request
from tests.support.resets import token_in as reset_token_in
from tests.support.social import begin, demo_person, sign_in
from tests.support.two_factor import BEGIN, enable_two_factor

CREATE_KEY = (
    'mutation { createApiKey(input: {name: "deploy"}) { ... on ApiKeyCreated { key apiKey { id createdAt } } } }'
)
ROTATE = """
mutation ($id: ID!, $overlap: Int!) {
  rotateApiKey(input: {id: $id, overlapSeconds: $overlap}) { ... on ApiKeyRotated { key previousKeyEndsAt } }
}
"""
OFFER = "query ($id: ID!) { fleet(id: $id) { ownershipOffer { id to { id } offeredAt expiresAt } } }"
OF_NO_ACCOUNT = {models.PendingSignUp, models.AttemptCounter, models.NobodysEvent}
"""A sign-up has no account yet, and is a stranger's where the address has one. Counters hold digests and numbers."""


def tables() -> set[type[Model]]:
    """All that the ORM loads."""
    return {found for found in vars(models).values() if isinstance(found, type) and issubclass(found, Model)}


def referred_to(model: type[Model]) -> Iterator[type[Model]]:
    """Whatever a table's foreign keys lead to, also by way of other tables."""
    for name in model._meta.fk_fields | model._meta.o2o_fields:
        target = model._meta.fields_map[name].related_model  # type: ignore[attr-defined] # every such field has one
        yield target
        yield from referred_to(target)


def test_every_table_about_accounts_has_a_section(gateway: object) -> None:
    covered = {table for section in SECTIONS.values() for table in section.covers}
    about_accounts = {table for table in tables() if models.Account in referred_to(table)}

    assert {models.SignInTicket, models.ApiKeySecret, models.Device} <= about_accounts
    assert about_accounts - covered == set()
    assert tables() - covered == OF_NO_ACCOUNT


async def test_offer_of_anothers_fleet_is_there_for_whom_it_is_made_to(
    ann: Person, bob: Person, mailbox: Mailbox
) -> None:
    fleet_id = await make_fleet(bob, "Bob's")
    offer_id = await offer(bob, await join(bob, fleet_id, ann, mailbox))

    (fleet,) = (await exported(ann))["fleets"]

    assert fleet["ownershipOffer"]["id"] == offer_id
    assert fleet["ownershipOffer"] == (await ann.client.run(OFFER, id=fleet_id)).root["ownershipOffer"]


async def test_pairing_is_there_before_it_is_confirmed_and_after(ann: Person) -> None:
    before = (await exported(ann))["twoFactor"]
    pairing = (await ann.client.run(BEGIN)).expect("TwoFactorPairing")
    pending = (await exported(ann))["twoFactor"]
    guarded = await enable_two_factor(ann)
    confirmed = (await exported(guarded.person))["twoFactor"]

    assert (before["enabled"], before["authenticator"], before["recoveryCodesCreatedAt"]) == (False, None, None)
    assert pending["enabled"] is False
    assert pending["authenticator"]["pairingExpiresAt"] == pairing["expiresAt"]
    assert pending["authenticator"]["confirmedAt"] is None
    assert confirmed["authenticator"]["confirmedAt"] is not None
    assert confirmed["authenticator"]["lastCodeOf"] <= confirmed["authenticator"]["confirmedAt"]
    assert (confirmed["recoveryCodesRemaining"], confirmed["authenticator"]["pairingExpiresAt"]) == (10, None)
    assert confirmed["recoveryCodesCreatedAt"] is not None


async def test_sign_in_that_waits_for_its_second_step_is_there(ann: Person) -> None:
    guarded = await enable_two_factor(ann)
    ticket = await guarded.first_step()

    (found,) = (await exported(guarded.person))["signInTickets"]

    assert found["expiresAt"] == ticket["expiresAt"]
    assert found["startedAt"] < found["expiresAt"]
    assert found["methods"] == ["PASSWORD"]


async def test_open_reset_link_is_there_and_nothing_of_others(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    await request(ann.client, ann.email)
    await request(ann.client, "nobody@example.com")

    (link,) = (await exported(ann))["passwordResets"]

    assert set(link) == {"requestedAt", "expiresAt"}
    assert link["requestedAt"] < link["expiresAt"]
    assert (await exported(bob))["passwordResets"] == []


async def test_linking_that_waits_for_the_provider_is_there(ann: Person) -> None:
    started = await begin(ann.client, "GITHUB", link=True)
    await begin(ann.client, "GOOGLE")

    (attempt,) = (await exported(ann))["socialLoginAttempts"]

    assert (attempt["provider"], attempt["expiresAt"]) == ("GITHUB", started["expiresAt"])


async def test_rotated_key_tells_until_when_its_former_ones_work(ann: Person) -> None:
    made = (await ann.client.run(CREATE_KEY)).root["apiKey"]
    first = (await ann.client.run(ROTATE, id=made["id"], overlap=3_600)).root["previousKeyEndsAt"]
    second = (await ann.client.run(ROTATE, id=made["id"], overlap=60)).root["previousKeyEndsAt"]

    (key,) = (await exported(ann))["apiKeys"]

    assert key["previousKeyEndsAt"] == second
    assert [former["endsAt"] for former in key["previousKeys"]] == [first, second]
    assert key["previousKeys"][0]["createdAt"] >= made["createdAt"]


async def test_change_of_address_is_there_with_its_dates(ann: Person) -> None:
    await ask(ann.client, "new@example.org")

    change = (await exported(ann))["emailChange"]

    assert change["newEmail"] == "new@example.org"
    assert datetime.fromisoformat(change["requestedAt"]) < datetime.fromisoformat(change["expiresAt"])


async def with_everything(
    ann: Person, bob: Person, http: httpx.AsyncClient, mailbox: Mailbox
) -> tuple[Person, list[str]]:
    """Ann with a row in every table; as whom she is signed in since, and what was told her or mailed to her alone."""
    key = (await ann.client.run(CREATE_KEY)).root
    rotated = (await ann.client.run(ROTATE, id=key["apiKey"]["id"], overlap=3_600)).root["key"]
    linked = await sign_in(ann.client, demo_person(http, ann.email), "GITHUB", link=True)
    linked.expect("SocialIdentityLinked")
    started = await begin(ann.client, "GOOGLE", link=True)
    own = await make_fleet(ann)
    await add_device(ann, own)
    await offer(ann, await join(ann, own, bob, mailbox))
    await invite(bob, await make_fleet(bob, "Bob's"), ann.email)
    invitation = await mailed_token(mailbox, ann.email)
    guarded = await enable_two_factor(ann)
    ticket = await guarded.ticket()
    await request(ann.client, ann.email)
    reset = reset_token_in(await mailbox.newest(ann.email))
    await ask(guarded.person.client, "new@example.org")
    told = [
        key["key"],
        rotated,
        started["handle"],
        started["state"],
        invitation,
        ticket,
        reset,
        *guarded.recovery_codes,
    ]
    return guarded.person, [*told, ann.token, guarded.person.token, ann.password]


async def secrets_at_rest() -> list[str]:
    """What stands in the columns that hold digests, hashes and what is sealed."""
    ends = ("digest", "hash", "sealed")
    return [
        value
        for table in Row.__subclasses__()
        for row in await table.all().values()
        for name, value in row.items()
        if name.endswith(ends) and value
    ]


async def test_document_holds_no_secret_and_no_digest(
    ann: Person, bob: Person, http: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    ann, told = await with_everything(ann, bob, http, mailbox)

    text = (await ann.client.run(EXPORT)).response.text

    at_rest = await secrets_at_rest()
    assert len(at_rest) > 30
    assert [secret for secret in (*told, *at_rest) if secret in text] == []
    assert not [word for word in ("digest", "sealed", "hash", "secret", "generation") if word in text.lower()]


async def test_no_section_is_empty_where_all_is_there(
    ann: Person, bob: Person, http: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    ann, _ = await with_everything(ann, bob, http, mailbox)

    data = await exported(ann)

    assert list(data) == list(SECTIONS)
    assert [name for name, section in data.items() if not section] == []


async def test_another_account_has_nothing_of_it(
    ann: Person, bob: Person, http: httpx.AsyncClient, mailbox: Mailbox
) -> None:
    await with_everything(ann, bob, http, mailbox)
    cid = await sign_up(ann.client.bearing(None), mailbox, email="cid@example.com")

    data: dict[str, Any] = await exported(cid)

    assert {name for name, section in data.items() if section} == {
        "account",
        "twoFactor",
        "securityEvents",
        "signInOrigins",
    }
    assert ann.email not in str(data)
