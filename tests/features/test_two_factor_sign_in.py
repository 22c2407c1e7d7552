from datetime import timedelta
from typing import Any

import pytest

from kit import clock
from tests.support.authenticator import begin_step
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.two_factor import (
    BEGIN,
    COMPLETE,
    CONFIRM,
    LOG_IN,
    REGENERATE,
    STATUS,
    STEP_UP,
    GuardedPerson,
    kinds,
)

REFRESH = "mutation { refreshSession { __typename ... on SessionStarted { token } ... on UserError { code } } }"
SIGN_OUT = "mutation { signOutEverywhere { __typename ... on SessionStarted { token } } }"
CREATE_KEY = 'mutation { createApiKey(input: {name: "x"}) { __typename ... on ApiKeyCreated { key } } }'

NO_CODES: list[Any] = [
    "{code} ",
    " {code}",
    "{code}\n",
    "+{code}",
    "-{code}",
    "{code}.0",
    "{code}\0",
    "\ud800",
    "{half} {rest}",
    "{half}-{rest}",
    "{arabic}",
    "",
    "{code}" * 1_700,
]
WRONGLY_TYPED: list[Any] = [123456, 123456.0, ["{code}", "{code}"], {"code": "{code}"}, True]


async def test_password_alone_gets_a_ticket_and_a_code_the_session(guard: GuardedPerson) -> None:
    first = await guard.guest.run(LOG_IN, email=guard.person.email, password=guard.person.password)
    required = first.expect("TwoFactorRequired")

    session = (await guard.complete(ticket=required["ticket"], code=guard.phone.next_code())).expect("SessionStarted")

    assert required["methods"] == ["TOTP", "RECOVERY_CODE"]
    assert session["account"]["id"] == guard.person.account_id
    assert session["account"]["authentication"]["methods"] == ["PASSWORD", "TOTP"]
    status = (await guard.guest.bearing(session["token"]).run(STATUS)).root
    assert kinds(status) == ["SIGNED_IN", "TWO_FACTOR_ENABLED", "SIGNED_UP"]


async def test_ticket_leaves_no_event_by_itself(guard: GuardedPerson) -> None:
    await guard.ticket()

    status = (await guard.person.client.run(STATUS)).root
    assert kinds(status) == ["TWO_FACTOR_ENABLED", "SIGNED_UP"]


@pytest.mark.parametrize("document", [STATUS, BEGIN, REGENERATE, REFRESH, SIGN_OUT, CREATE_KEY])
async def test_ticket_opens_no_other_field(guard: GuardedPerson, document: str) -> None:
    answer = await guard.guest.bearing(await guard.ticket()).run(document)

    assert answer.status == 401
    assert answer.error_codes == ["UNAUTHENTICATED"]


async def test_ticket_works_once(guard: GuardedPerson) -> None:
    ticket = await guard.ticket()
    (await guard.complete(ticket=ticket, code=guard.phone.next_code())).expect("SessionStarted")

    again = await guard.complete(ticket=ticket, code=guard.phone.next_code())

    again.expect("InvalidToken")


async def test_ticket_expires_after_ten_minutes(guard: GuardedPerson) -> None:
    early, late = await guard.ticket(), await guard.ticket()

    clock.shift(timedelta(minutes=9))
    (await guard.complete(ticket=early, code=guard.phone.code())).expect("SessionStarted")
    clock.shift(timedelta(minutes=1, seconds=1))
    refused = await guard.complete(ticket=late, code=guard.phone.code())

    refused.expect("InvalidToken")


@pytest.mark.parametrize("ticket", ["", "ticket_nonsense", "\ud800", "\0", "x" * 10_000])
async def test_what_is_no_ticket_is_refused(guard: GuardedPerson, ticket: str) -> None:
    answer = await guard.guest.run(COMPLETE, ticket=ticket, code=guard.phone.next_code())

    answer.expect("InvalidToken")


async def test_ticket_dies_when_sessions_end(guard: GuardedPerson) -> None:
    ticket = await guard.ticket()
    (await guard.person.client.run(SIGN_OUT)).expect("SessionStarted")

    refused = await guard.complete(ticket=ticket, code=guard.phone.next_code())

    refused.expect("InvalidToken")
    # What was not tried is not spent.
    (await guard.complete(code=guard.phone.code())).expect("SessionStarted")


@pytest.mark.parametrize("steps", [-2, -1, 0, 1, 2])
async def test_current_and_former_step_count_and_no_other(guard: GuardedPerson, steps: int) -> None:
    clock.shift(timedelta(minutes=5))
    begin_step()

    answer = await guard.complete(code=guard.phone.code(steps))

    assert answer.root["__typename"] == ("SessionStarted" if steps in {-1, 0} else "InvalidCode")


async def test_step_is_spent_for_good_and_only_forward(guard: GuardedPerson) -> None:
    code, former = guard.phone.next_code(), guard.phone.code(-1)
    (await guard.complete(code=code)).expect("SessionStarted")

    again = await guard.complete(code=code)
    older = await guard.complete(code=former)

    again.expect("InvalidCode")
    older.expect("InvalidCode")


async def test_sixth_code_of_one_ticket_has_to_wait(guard: GuardedPerson) -> None:
    ticket = await guard.ticket()

    answers = [(await guard.complete(ticket=ticket, code=guard.phone.code(-30))).root for _ in range(6)]
    clock.shift(timedelta(minutes=5, seconds=1))
    later = await guard.complete(ticket=ticket, code=guard.phone.code())

    assert [answer["__typename"] for answer in answers] == ["InvalidCode"] * 5 + ["TooManyAttempts"]
    assert 0 < answers[5]["retryAfterSeconds"] <= 300
    # A ticket lives for five looks, however long its holder waits.
    later.expect("InvalidToken")


@pytest.mark.parametrize("spelled", NO_CODES)
async def test_only_six_ascii_digits_are_a_code(guard: GuardedPerson, spelled: str) -> None:
    code = guard.phone.next_code()
    arabic = "".join(chr(0x0660 + int(digit)) for digit in code)
    ticket = await guard.ticket()

    typed = spelled.format(code=code, half=code[:3], rest=code[3:], arabic=arabic)
    answer = await guard.complete(ticket=ticket, code=typed)

    answer.expect("InvalidCode")
    (await guard.complete(ticket=ticket, code=code)).expect("SessionStarted")


@pytest.mark.parametrize("typed", WRONGLY_TYPED)
async def test_code_of_another_type_breaks_the_request_and_nothing_else(guard: GuardedPerson, typed: Any) -> None:
    ticket = await guard.ticket()

    answer = await guard.complete(ticket=ticket, code=typed)

    assert answer.status < 500
    assert "data" not in answer.body or answer.body["data"] is None
    (await guard.complete(ticket=ticket, code=guard.phone.next_code())).expect("SessionStarted")


async def test_one_request_tries_one_code(guard: GuardedPerson) -> None:
    ticket, code = await guard.ticket(), guard.phone.next_code()
    tries = "a: completeTwoFactor(input: $input) { __typename } b: completeTwoFactor(input: $input) { __typename }"

    answer = await guard.guest.run(
        f"mutation ($input: CompleteTwoFactorInput!) {{ {tries} }}", input={"ticket": ticket, "code": code}
    )

    assert answer.error_codes == ["DOCUMENT_TOO_COSTLY"]
    (await guard.complete(ticket=ticket, code=code)).expect("SessionStarted")


async def test_exactly_one_of_code_and_recovery_code_is_wanted(guard: GuardedPerson) -> None:
    ticket, code, spare = await guard.ticket(), guard.phone.next_code(), guard.recovery_codes[0]

    neither = await guard.complete(ticket=ticket)
    both = await guard.complete(ticket=ticket, code=code, recoveryCode=spare)

    for answer in (neither, both):
        assert [problem["path"] for problem in answer.expect("InvalidInput")["fields"]] == ["input.code"]
    (await guard.complete(ticket=ticket, code=code)).expect("SessionStarted")


async def test_guesses_are_counted_over_all_tickets(guard: GuardedPerson) -> None:
    tickets = [await guard.ticket() for _ in range(6)]
    for ticket in tickets[:5]:
        (await guard.complete(ticket=ticket, code=guard.phone.code(-20))).expect("InvalidCode")

    wrong = (await guard.complete(ticket=tickets[5], code=guard.phone.code(-20))).expect("TooManyAttempts")
    right = (await guard.complete(ticket=tickets[5], code=guard.phone.next_code())).expect("TooManyAttempts")
    spare = (await guard.complete(recoveryCode=guard.recovery_codes[0])).expect("TooManyAttempts")
    by_session = (await guard.person.client.run(STEP_UP, code=guard.phone.code())).expect("TooManyAttempts")

    assert wrong["message"] == right["message"] == spare["message"] == by_session["message"]
    assert wrong["retryAfterSeconds"] <= 300
    status = (await guard.person.client.run(STATUS)).root
    assert status["twoFactor"]["recoveryCodesRemaining"] == 10
    assert kinds(status).count("SIGN_IN_FAILED") == 5
    assert "SIGNED_IN" not in kinds(status)


async def test_recovery_codes_and_codes_share_one_count(guard: GuardedPerson) -> None:
    for _ in range(3):
        (await guard.complete(recoveryCode="0000-0000-0000-0000")).expect("InvalidCode")
    for _ in range(2):
        (await guard.person.client.run(STEP_UP, code="not a code")).expect("InvalidCode")

    blocked = await guard.complete(code=guard.phone.next_code())
    clock.shift(timedelta(minutes=5))
    later = await guard.complete(code=guard.phone.code())

    blocked.expect("TooManyAttempts")
    later.expect("SessionStarted")


async def test_one_ticket_allows_five_tries(guard: GuardedPerson) -> None:
    ticket = await guard.ticket()
    for _ in range(4):
        (await guard.complete(ticket=ticket, code="not a code")).expect("InvalidCode")
    clock.shift(timedelta(minutes=5))
    (await guard.complete(ticket=ticket, code="not a code")).expect("InvalidCode")

    refused = await guard.complete(ticket=ticket, code=guard.phone.next_code())

    refused.expect("InvalidToken")
    (await guard.complete(code=guard.phone.code())).expect("SessionStarted")


async def test_success_forgets_the_own_failures(guard: GuardedPerson) -> None:
    for _ in range(4):
        (await guard.complete(code="not a code")).expect("InvalidCode")
    await guard.sign_in()

    for _ in range(4):
        (await guard.complete(code="not a code")).expect("InvalidCode")

    (await guard.complete(code=guard.phone.next_code())).expect("SessionStarted")


async def test_wrong_code_leaves_an_event_and_no_session(guard: GuardedPerson, mailbox: Mailbox) -> None:
    mails = len(await mailbox.mails())

    (await guard.complete(code="000000 ")).expect("InvalidCode")

    status = (await guard.person.client.run(STATUS)).root
    assert status["securityEvents"]["nodes"][0] == {"kind": "SIGN_IN_FAILED", "details": {"reason": "wrong_code"}}
    assert len(await mailbox.mails()) == mails


async def test_refresh_keeps_the_second_factor(guard: GuardedPerson) -> None:
    client = await guard.sign_in()

    token = (await client.run(REFRESH)).expect("SessionStarted")["token"]

    status = (await client.bearing(token).run(STATUS)).root
    assert status["authentication"]["methods"] == ["PASSWORD", "TOTP"]


async def test_others_are_asked_for_nothing(guard: GuardedPerson, bob: Person, client: GraphQLClient) -> None:
    (await client.run(LOG_IN, email=bob.email, password=bob.password)).expect("SessionStarted")

    (await bob.client.run(CONFIRM, code=guard.phone.next_code())).expect("Refused")
