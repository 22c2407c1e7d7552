import asyncio
from datetime import timedelta

import pytest

import models
from kit import clock
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox, code_in
from tests.support.people import PASSWORD, Person, sign_up
from tests.support.resets import mailed_token, request, reset, token_in
from tests.support.ways_in import NEW_PASSWORD, VIEWER, api_key_of, event_kinds, is_signed_in, log_in, signed_in

REQUEST = """
mutation ($newEmail: EmailAddress!) {
  requestEmailChange(newEmail: $newEmail) {
    __typename
    ... on EmailChangeStarted { newEmail expiresAt }
    ... on InvalidInput { fields { path } }
    ... on UserError { code message }
  }
}
"""
CONFIRM = """
mutation ($code: Secret!) {
  confirmEmailChange(code: $code) {
    __typename
    ... on AccountSecured { account { id email } session { token } }
    ... on TooManyAttempts { retryAfterSeconds }
    ... on UserError { code message }
  }
}
"""
NEW = "ann.new@example.org"


async def ask(client: GraphQLClient, new_email: object = NEW) -> Answer:
    return await client.run(REQUEST, newEmail=new_email)


async def confirm(client: GraphQLClient, code: str) -> Answer:
    return await client.run(CONFIRM, code=code)


async def mailed_code(client: GraphQLClient, mailbox: Mailbox, new_email: str = NEW) -> str:
    (await ask(client, new_email)).expect("EmailChangeStarted")
    return await mailbox.code(new_email)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_mailed_code_moves_the_account(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    other = await signed_in(client, ann.email, PASSWORD)
    code = await mailed_code(ann.client, mailbox)

    answer = (await confirm(ann.client, code)).expect("AccountSecured")

    fresh = client.bearing(answer["session"]["token"])
    assert answer["account"] == {"id": ann.account_id, "email": NEW}
    assert (await fresh.run(VIEWER)).root["email"] == NEW
    assert [await is_signed_in(client) for client in (ann.client, other)] == [False, False]
    assert (await event_kinds(fresh))[:2] == ["EMAIL_CHANGED", "EMAIL_CHANGE_REQUESTED"]
    await signed_in(client, NEW, PASSWORD)
    (await log_in(client, ann.email, PASSWORD)).expect("InvalidCredentials")


async def test_both_addresses_are_told(ann: Person, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox)
    before = await mailbox.mails(ann.email)
    (await confirm(ann.client, code)).expect("AccountSecured")

    to_old, to_new = await mailbox.mails(ann.email), await mailbox.mails(NEW)

    assert NEW in before[0]["text"]
    assert code not in before[0]["text"]
    assert to_old[0]["subject"] == "Your Gatehouse account has another address now"
    assert NEW in to_old[0]["text"]
    assert to_new[0]["subject"] == "Your Gatehouse account has moved to this address"


async def test_reset_links_of_the_old_address_die(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)
    code = await mailed_code(ann.client, mailbox)
    (await confirm(ann.client, code)).expect("AccountSecured")

    (await reset(client, token)).expect("InvalidToken")

    (await request(client, ann.email)).expect("MailSentIfKnown")
    assert len([mail for mail in await mailbox.mails(ann.email) if "#resetToken=" in mail["text"]]) == 1
    await request(client, NEW)
    (await reset(client, token_in(await mailbox.newest(NEW)))).expect("PasswordReset")


async def test_request_alone_changes_nothing(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    await mailed_code(ann.client, mailbox)

    (await log_in(client, NEW, PASSWORD)).expect("InvalidCredentials")

    assert await is_signed_in(ann.client)
    await signed_in(client, ann.email, PASSWORD)


async def test_code_works_once(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox)
    answer = (await confirm(ann.client, code)).expect("AccountSecured")

    (await confirm(client.bearing(answer["session"]["token"]), code)).expect("InvalidCode")

    await signed_in(client, NEW, PASSWORD)


async def test_of_confirmations_at_once_one_wins(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox)

    answers = await asyncio.gather(*(confirm(ann.client, code) for _ in range(4)))

    assert ["AccountSecured" in answer.response.text for answer in answers].count(True) == 1
    assert not any("TooManyAttempts" in answer.response.text for answer in answers)
    assert len([mail for mail in await mailbox.mails(NEW) if "has moved" in mail["subject"]]) == 1


async def test_sixth_try_is_refused_even_when_right(ann: Person, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox)

    answers = await asyncio.gather(*(confirm(ann.client, wrong(code)) for _ in range(5)))
    right = (await confirm(ann.client, code)).expect("TooManyAttempts")

    assert [answer.root["__typename"] for answer in answers] == ["InvalidCode"] * 5
    assert 0 < right["retryAfterSeconds"] <= 900
    assert (await ann.client.run(VIEWER)).root["email"] == ann.email


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\ud800", "١٢٣٤٥٦", "0" * 10_000])
async def test_odd_text_is_no_code(ann: Person, mailbox: Mailbox, code: str) -> None:
    await mailed_code(ann.client, mailbox)

    (await confirm(ann.client, code)).expect("InvalidCode")

    assert (await ann.client.run(VIEWER)).root["email"] == ann.email


async def test_nothing_pending_is_no_code(ann: Person) -> None:
    (await confirm(ann.client, "123456")).expect("InvalidCode")

    assert await is_signed_in(ann.client)


@pytest.mark.parametrize(("seconds", "answer"), [(899, "AccountSecured"), (900, "InvalidCode")])
async def test_code_lives_a_quarter_of_an_hour(ann: Person, mailbox: Mailbox, seconds: int, answer: str) -> None:
    code = await mailed_code(ann.client, mailbox)

    clock.shift(timedelta(seconds=seconds))

    (await confirm(ann.client, code)).expect(answer)


async def test_new_request_supersedes_the_older(ann: Person, mailbox: Mailbox) -> None:
    older = await mailed_code(ann.client, mailbox)
    newer = await mailed_code(ann.client, mailbox, "third@example.org")

    (await confirm(ann.client, older)).expect("InvalidCode")

    (await confirm(ann.client, newer)).expect("AccountSecured")
    assert await models.Account.filter(email="third@example.org").exists()


async def test_code_is_its_own_accounts(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox)

    (await confirm(bob.client, code)).expect("InvalidCode")

    assert (await bob.client.run(VIEWER)).root["email"] == bob.email
    (await confirm(ann.client, code)).expect("AccountSecured")


async def test_change_dies_with_the_sessions(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox)
    out = await ann.client.run("mutation { signOutEverywhere { __typename ... on SessionStarted { token } } }")

    (await confirm(client.bearing(out.expect("SessionStarted")["token"]), code)).expect("InvalidCode")

    await signed_in(client, ann.email, PASSWORD)


async def test_taken_address_is_answered_the_same(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    free, taken = (await ask(ann.client, "bub@example.com")).root, (await ask(ann.client, "BOB@example.com")).root

    assert free.keys() == taken.keys()
    assert (free["newEmail"], taken["newEmail"]) == ("bub@example.com", "BOB@example.com")
    # Bob, at the address that he gave himself, and nobody else.
    notice = await mailbox.newest(bob.email)
    assert notice["subject"] == "Your address was asked for by another Gatehouse account"
    assert ann.email not in notice["text"]
    assert await mailbox.mails("BOB@example.com") == []
    (await confirm(ann.client, "000000")).expect("InvalidCode")
    assert (await bob.client.run(VIEWER)).root["email"] == bob.email


async def test_address_that_was_taken_meanwhile_stays_where_it_is(
    ann: Person, client: GraphQLClient, mailbox: Mailbox
) -> None:
    code = await mailed_code(ann.client, mailbox)
    late = await sign_up(client, mailbox, email=NEW, password=NEW_PASSWORD)

    assert (await confirm(ann.client, code)).expect("Refused")["code"] == "CONFLICT"

    assert (await late.client.run(VIEWER)).root["email"] == NEW
    assert (await ann.client.run(VIEWER)).root["email"] == ann.email
    assert "EMAIL_CHANGED" not in await event_kinds(ann.client)


@pytest.mark.parametrize(
    "new_email", ["", "x", "a@b", "ann@example.com", "a@x.test\r\nBcc: e@x.test", "a@x.test,e@x.test"]
)
async def test_unusable_address_starts_nothing(ann: Person, mailbox: Mailbox, new_email: str) -> None:
    before = await mailbox.mails()

    answer = (await ask(ann.client, new_email)).expect("InvalidInput")

    assert [problem["path"] for problem in answer["fields"]] == ["newEmail"]
    assert await mailbox.mails() == before
    assert await models.EmailChange.all().count() == 0


async def test_spelling_of_the_own_address_can_change(ann: Person, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox, "Ann@example.com")

    answer = (await confirm(ann.client, code)).expect("AccountSecured")

    assert answer["account"]["email"] == "Ann@example.com"


async def test_request_needs_a_fresh_sign_in_of_a_person(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    with_key = await api_key_of(ann)
    before = await mailbox.mails()
    clock.shift(timedelta(seconds=901))

    answers = [await ask(ann.client), await ask(with_key)]

    assert [answer.root["__typename"] for answer in answers] == ["StepUpRequired"] * 2
    assert (await ask(client)).error_codes == ["UNAUTHENTICATED"]
    assert (await confirm(with_key, "123456")).expect("Refused")["code"] == "SESSION_REQUIRED"
    assert await mailbox.mails() == before


async def test_sixth_mail_to_an_address_is_silently_left_out(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    for client in (ann.client, bob.client) * 3:
        (await ask(client)).expect("EmailChangeStarted")

    mails = await mailbox.mails(NEW)
    assert len(mails) == 5
    # Of Bob's three requests the last was not mailed: the code that he has goes on working.
    (await confirm(bob.client, code_in(mails[1]["text"]))).expect("AccountSecured")


async def test_requests_of_one_account_are_capped(ann: Person, mailbox: Mailbox) -> None:
    answers = [(await ask(ann.client, f"a{number}@x.test")).root["__typename"] for number in range(21)]

    assert answers == ["EmailChangeStarted"] * 20 + ["TooManyAttempts"]
    assert await mailbox.mails("a20@x.test") == []


async def test_no_code_rests_in_the_clear(ann: Person, mailbox: Mailbox) -> None:
    code = await mailed_code(ann.client, mailbox)

    (row,) = await models.EmailChange.all().values("code_digest", "email")

    assert code not in str(row["code_digest"])[9:20]
    assert len(row["code_digest"]) > 64
