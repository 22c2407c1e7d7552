import asyncio
from datetime import timedelta

import pytest

from kit import clock
from process.gateway import Gateway
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, Person, sign_up
from tests.support.resets import mailed_token, request, reset, token_in
from tests.support.ways_in import NEW_PASSWORD, api_key_of, client_from, event_kinds, is_signed_in, log_in, signed_in


async def test_mailed_link_sets_a_new_password(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)

    answer = await reset(client, token)

    assert answer.expect("PasswordReset") == {"__typename": "PasswordReset", "email": ann.email}
    back = await signed_in(client, ann.email, NEW_PASSWORD)
    assert (await event_kinds(back))[:3] == ["SIGNED_IN", "PASSWORD_RESET", "PASSWORD_RESET_REQUESTED"]
    (await log_in(client, ann.email, PASSWORD)).expect("InvalidCredentials")


async def test_every_session_ends_and_keys_stay(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    other = await signed_in(client, ann.email, PASSWORD)
    with_key = await api_key_of(ann, name="nightly build")
    token = await mailed_token(client, mailbox)

    (await reset(client, token)).expect("PasswordReset")

    assert not await is_signed_in(ann.client)
    assert not await is_signed_in(other)
    assert await is_signed_in(with_key)
    notice = await mailbox.newest(ann.email)
    assert "- nightly build\n" in notice["text"]
    assert "198.51.100.7" in notice["text"]
    assert token not in notice["text"]


async def test_link_works_once(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)
    (await reset(client, token)).expect("PasswordReset")

    (await reset(client, token, "yet another passphrase")).expect("InvalidToken")

    await signed_in(client, ann.email, NEW_PASSWORD)


async def test_of_many_at_once_one_wins(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)
    passwords = [f"passphrase number {number}" for number in range(8)]

    answers = await asyncio.gather(*(reset(client, token, password) for password in passwords))

    won = [answer.root["__typename"] for answer in answers]
    assert sorted(won) == ["InvalidToken"] * 7 + ["PasswordReset"]
    await signed_in(client, ann.email, passwords[won.index("PasswordReset")])
    assert len([mail for mail in await mailbox.mails(ann.email) if "was reset" in mail["subject"]]) == 1


async def test_newest_link_supersedes_the_older(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    older, newer = await mailed_token(client, mailbox), await mailed_token(client, mailbox)

    (await reset(client, older)).expect("InvalidToken")

    (await reset(client, newer)).expect("PasswordReset")


async def test_of_links_asked_for_at_once_one_is_left(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    await asyncio.gather(*(request(client) for _ in range(4)))
    mails = [mail for mail in await mailbox.mails(ann.email) if "#resetToken=" in mail["text"]]

    answers = [(await reset(client, token_in(mail))).root["__typename"] for mail in mails]

    assert sorted(answers) == ["InvalidToken"] * 3 + ["PasswordReset"]


@pytest.mark.parametrize(("minutes", "answer"), [(59, "PasswordReset"), (60, "InvalidToken")])
async def test_link_lives_an_hour(
    ann: Person, client: GraphQLClient, mailbox: Mailbox, minutes: int, answer: str
) -> None:
    token = await mailed_token(client, mailbox)

    clock.shift(timedelta(minutes=minutes))

    (await reset(client, token)).expect(answer)


async def test_link_dies_when_its_owner_signs_in(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)
    await signed_in(client, ann.email, PASSWORD)

    (await reset(client, token)).expect("InvalidToken")

    await signed_in(client, ann.email, PASSWORD)


async def test_wrong_password_leaves_the_link_alive(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)
    (await log_in(client, ann.email, "not the password")).expect("InvalidCredentials")

    (await reset(client, token)).expect("PasswordReset")


@pytest.mark.parametrize("token", ["", "undefined", "null", "reset_", "\ud800", "reset_" + "0" * 32, "x" * 10_000])
async def test_unproven_token_sets_nothing(ann: Person, client: GraphQLClient, mailbox: Mailbox, token: str) -> None:
    await mailed_token(client, mailbox)
    await request(client, "nobody@example.com")

    (await reset(client, token)).expect("InvalidToken")

    assert await is_signed_in(ann.client)
    await signed_in(client, ann.email, PASSWORD)


@pytest.mark.parametrize("token", [None, [], ["reset_x"], {}, 7, True])
async def test_token_is_one_text(ann: Person, client: GraphQLClient, token: object) -> None:
    answer = await reset(client, token)

    assert answer.error_codes
    assert await is_signed_in(ann.client)


async def test_other_tokens_are_no_reset_tokens(ann: Person, client: GraphQLClient) -> None:
    with_key = await api_key_of(ann)

    for token in (ann.token, with_key.token):
        (await reset(client, token)).expect("InvalidToken")

    assert await is_signed_in(ann.client)


async def test_reset_token_is_no_bearer(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)

    assert not await is_signed_in(client.bearing(token))

    (await reset(client, token)).expect("PasswordReset")


@pytest.mark.parametrize("password", ["short", "password123", "Gatehouse2026!", "x" * 257, "a\u0000bcdefghij"])
async def test_unusable_password_spends_no_token(
    ann: Person, client: GraphQLClient, mailbox: Mailbox, password: str
) -> None:
    token = await mailed_token(client, mailbox)

    answer = (await reset(client, token, password)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["input.newPassword"]
    assert await is_signed_in(ann.client)
    (await reset(client, token)).expect("PasswordReset")


async def test_own_address_is_no_new_password(client: GraphQLClient, mailbox: Mailbox) -> None:
    await sign_up(client, mailbox, email="marguerite@example.com")
    token = await mailed_token(client, mailbox, "marguerite@example.com")

    (await reset(client, token, "marguerite2026")).expect("InvalidInput")

    assert (await log_in(client, "marguerite@example.com", "marguerite2026")).root["code"] == "INVALID_CREDENTIALS"


async def test_owner_gets_in_while_a_stranger_guesses(ann: Person, mailbox: Mailbox, gateway: Gateway) -> None:
    async with client_from(gateway, "203.0.113.5") as stranger, client_from(gateway, "203.0.113.77") as owner:
        guesses = [(await log_in(stranger, ann.email, "not the password")).root["__typename"] for _ in range(11)]
        locked_out = await log_in(owner, ann.email, PASSWORD)

        (await reset(owner, await mailed_token(owner, mailbox))).expect("PasswordReset")

        assert guesses[-1] == locked_out.root["__typename"] == "TooManyAttempts"
        await signed_in(owner, ann.email, NEW_PASSWORD)
        (await log_in(stranger, ann.email, NEW_PASSWORD)).expect("TooManyAttempts")


async def test_reset_forgets_the_owners_own_wrong_guesses(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    guesses = [(await log_in(client, ann.email, "not the password")).root["__typename"] for _ in range(11)]

    (await reset(client, await mailed_token(client, mailbox))).expect("PasswordReset")

    assert guesses[-1] == "TooManyAttempts"
    await signed_in(client, ann.email, NEW_PASSWORD)


async def test_one_document_tries_one_token(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)
    tries = " ".join(
        f'a{number}: resetPassword(input: {{token: "{token}", newPassword: "{NEW_PASSWORD}"}}) {{ __typename }}'
        for number in range(2)
    )

    answer = await client.run(f"mutation {{ {tries} }}")

    assert answer.error_codes == ["DOCUMENT_TOO_COSTLY"]
    assert await is_signed_in(ann.client)
    (await reset(client, token)).expect("PasswordReset")
