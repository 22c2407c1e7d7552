import asyncio
from datetime import timedelta

import pytest

import models
from kit import clock, ids
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, Person
from tests.support.resets import mailed_token, reset
from tests.support.ways_in import NEW_PASSWORD, api_key_of, event_kinds, is_signed_in, log_in, signed_in

CHANGE = """
mutation ($current: Secret!, $new: Secret!) {
  changePassword(input: {currentPassword: $current, newPassword: $new}) {
    __typename
    ... on AccountSecured { account { email hasPassword } session { token } }
    ... on InvalidInput { fields { path } }
    ... on UserError { code message }
  }
}
"""
SET = """
mutation ($new: Secret!) {
  setPassword(newPassword: $new) {
    __typename
    ... on AccountSecured { account { hasPassword } session { token } }
    ... on InvalidInput { fields { path } }
    ... on UserError { code message }
  }
}
"""


async def change(client: GraphQLClient, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Answer:
    return await client.run(CHANGE, current=current, new=new)


async def take_password_away(person: Person) -> None:
    """Leave the account as a social sign-up would: with a session, and no password."""
    account_id = ids.from_global("account", person.account_id)
    await models.Account.filter(id=account_id).update(password_hash=None)


async def test_change_ends_every_session_and_starts_one(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    other = await signed_in(client, ann.email, PASSWORD)
    with_key = await api_key_of(ann)

    answer = (await change(ann.client)).expect("AccountSecured")

    fresh = client.bearing(answer["session"]["token"])
    assert await is_signed_in(fresh)
    assert await is_signed_in(with_key)
    assert [await is_signed_in(client) for client in (ann.client, other)] == [False, False]
    assert (await event_kinds(fresh))[0] == "PASSWORD_CHANGED"
    assert (await mailbox.newest(ann.email))["subject"] == "Your Gatehouse password was changed"
    await signed_in(client, ann.email, NEW_PASSWORD)
    (await log_in(client, ann.email, PASSWORD)).expect("InvalidCredentials")


async def test_change_ends_the_pending_reset_link(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)
    (await change(ann.client)).expect("AccountSecured")

    (await reset(client, token, "yet another passphrase")).expect("InvalidToken")

    await signed_in(client, ann.email, NEW_PASSWORD)


async def test_new_session_keeps_the_age_of_the_sign_in(ann: Person) -> None:
    clock.shift(timedelta(hours=1))
    answer = (await change(ann.client)).expect("AccountSecured")

    made = await ann.client.bearing(answer["session"]["token"]).run(
        'mutation { createApiKey(input: {name: "x"}) { __typename } }'
    )

    made.expect("StepUpRequired")


async def test_wrong_current_password_changes_nothing(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    before = await mailbox.mails()

    (await change(ann.client, current="not the password")).expect("InvalidCredentials")

    assert await is_signed_in(ann.client)
    assert await mailbox.mails() == before
    assert "PASSWORD_CHANGED" not in await event_kinds(ann.client)
    await signed_in(client, ann.email, PASSWORD)


async def test_tries_count_for_every_door(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    for _ in range(10):
        (await change(ann.client, current="not the password")).expect("InvalidCredentials")

    (await change(ann.client)).expect("TooManyAttempts")

    (await log_in(client, ann.email, PASSWORD)).expect("TooManyAttempts")


@pytest.mark.parametrize("new", ["short", "password123", "ann@example.com", "Gatehouse2026!", "x" * 257, "\ud800" * 9])
async def test_unusable_new_password_costs_no_try(ann: Person, client: GraphQLClient, new: str) -> None:
    answers = [await change(ann.client, current="not the password", new=new) for _ in range(11)]

    paths = {problem["path"] for answer in answers for problem in answer.expect("InvalidInput")["fields"]}
    assert paths == {"input.newPassword"}
    assert await is_signed_in(ann.client)
    await signed_in(client, ann.email, PASSWORD)


async def test_text_that_is_no_password_is_named(ann: Person) -> None:
    answer = (await change(ann.client, current="x" * 257)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["input.currentPassword"]
    assert await is_signed_in(ann.client)


async def test_of_changes_at_once_one_wins(ann: Person, client: GraphQLClient) -> None:
    passwords = [f"passphrase number {number}" for number in range(6)]

    answers = await asyncio.gather(*(change(ann.client, new=password) for password in passwords))

    won = ["AccountSecured" in answer.response.text for answer in answers]
    assert won.count(True) == 1
    await signed_in(client, ann.email, passwords[won.index(True)])


async def test_key_and_guest_change_no_password(ann: Person, client: GraphQLClient) -> None:
    with_key = await api_key_of(ann)

    assert (await change(with_key)).expect("Refused")["code"] == "SESSION_REQUIRED"
    assert (await with_key.run(SET, new=NEW_PASSWORD)).expect("Refused")["code"] == "SESSION_REQUIRED"
    assert (await change(client)).error_codes == ["UNAUTHENTICATED"]
    assert (await client.run(SET, new=NEW_PASSWORD)).error_codes == ["UNAUTHENTICATED"]
    await signed_in(client, ann.email, PASSWORD)


async def test_account_without_a_password_sets_one(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    await take_password_away(ann)

    answer = (await ann.client.run(SET, new=NEW_PASSWORD)).expect("AccountSecured")

    fresh = client.bearing(answer["session"]["token"])
    assert answer["account"]["hasPassword"]
    assert (await event_kinds(fresh))[0] == "PASSWORD_SET"
    assert not await is_signed_in(ann.client)
    assert (await mailbox.newest(ann.email))["subject"] == "Your Gatehouse account has a password now"
    await signed_in(client, ann.email, NEW_PASSWORD)


async def test_there_is_nothing_to_change_without_a_password(ann: Person) -> None:
    await take_password_away(ann)

    assert (await change(ann.client)).expect("Refused")["code"] == "PASSWORD_NOT_SET"

    assert await is_signed_in(ann.client)


async def test_password_that_is_there_is_not_set_again(ann: Person, client: GraphQLClient) -> None:
    assert (await ann.client.run(SET, new=NEW_PASSWORD)).expect("Refused")["code"] == "PASSWORD_ALREADY_SET"

    assert await is_signed_in(ann.client)
    await signed_in(client, ann.email, PASSWORD)


async def test_setting_needs_a_fresh_sign_in(ann: Person, client: GraphQLClient) -> None:
    await take_password_away(ann)
    clock.shift(timedelta(seconds=901))

    (await ann.client.run(SET, new=NEW_PASSWORD)).expect("StepUpRequired")

    (await log_in(client, ann.email, NEW_PASSWORD)).expect("InvalidCredentials")


async def test_unusable_first_password_is_not_set(ann: Person) -> None:
    await take_password_away(ann)

    answer = (await ann.client.run(SET, new="password123")).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["newPassword"]
    assert await is_signed_in(ann.client)


async def test_of_first_passwords_at_once_one_wins(ann: Person, client: GraphQLClient) -> None:
    await take_password_away(ann)
    passwords = [f"passphrase number {number}" for number in range(6)]

    answers = await asyncio.gather(*(ann.client.run(SET, new=password) for password in passwords))

    won = ["AccountSecured" in answer.response.text for answer in answers]
    assert won.count(True) == 1
    await signed_in(client, ann.email, passwords[won.index(True)])
