from datetime import timedelta

import pytest

from kit import clock
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.two_factor import REGENERATE, STATUS, STEP_UP, GuardedPerson, enable_two_factor, kinds


async def test_recovery_code_signs_in_once(guard: GuardedPerson, mailbox: Mailbox) -> None:
    code = guard.recovery_codes[3]

    session = (await guard.complete(recoveryCode=code)).expect("SessionStarted")
    again = await guard.complete(recoveryCode=code)

    again.expect("InvalidCode")
    assert session["account"]["authentication"]["methods"] == ["PASSWORD", "RECOVERY_CODE"]
    status = (await guard.guest.bearing(session["token"]).run(STATUS)).root
    assert status["twoFactor"]["recoveryCodesRemaining"] == 9
    assert sorted(kinds(status)[:3]) == ["RECOVERY_CODE_USED", "SIGNED_IN", "SIGN_IN_FAILED"]
    mails = [mail for mail in await mailbox.mails(guard.person.email) if "was used" in mail["subject"]]
    assert len(mails) == 1
    assert "Recovery codes left: 9" in mails[0]["text"]
    assert code not in mails[0]["text"]


@pytest.mark.parametrize("between", ["", " ", "--"])
async def test_case_hyphens_and_spaces_do_not_matter(guard: GuardedPerson, between: str) -> None:
    typed = guard.recovery_codes[0].upper().replace("-", between)

    (await guard.complete(recoveryCode=typed)).expect("SessionStarted")


@pytest.mark.parametrize("typed", ["", "-", "\ud800", "\0", "0" * 10_000, "{code}0", "{short}", "{other}", "é{code}"])
async def test_what_is_no_recovery_code_opens_nothing(guard: GuardedPerson, typed: str) -> None:
    code = guard.recovery_codes[0]
    other = code[:-1] + ("0" if code[-1] != "0" else "1")

    answer = await guard.complete(recoveryCode=typed.format(code=code, short=code[:-1], other=other))

    answer.expect("InvalidCode")
    assert (await guard.person.client.run(STATUS)).root["twoFactor"]["recoveryCodesRemaining"] == 10


async def test_recovery_code_of_another_account_opens_nothing(guard: GuardedPerson, bob: Person) -> None:
    other = await enable_two_factor(bob)

    (await guard.complete(recoveryCode=other.recovery_codes[0])).expect("InvalidCode")

    assert (await other.person.client.run(STATUS)).root["twoFactor"]["recoveryCodesRemaining"] == 10


async def test_owner_is_warned_when_two_are_left(guard: GuardedPerson, mailbox: Mailbox) -> None:
    for code in guard.recovery_codes[:7]:
        (await guard.complete(recoveryCode=code)).expect("SessionStarted")
    early = [mail["subject"] for mail in await mailbox.mails(guard.person.email) if "running out" in mail["subject"]]

    (await guard.complete(recoveryCode=guard.recovery_codes[7])).expect("SessionStarted")

    low = [mail for mail in await mailbox.mails(guard.person.email) if "running out" in mail["subject"]]
    assert early == []
    assert len(low) == 1
    assert "Recovery codes left: 2" in low[0]["text"]


async def test_sign_in_does_not_offer_recovery_codes_that_are_used_up(guard: GuardedPerson) -> None:
    for code in guard.recovery_codes:
        (await guard.complete(recoveryCode=code)).expect("SessionStarted")

    assert (await guard.first_step())["methods"] == ["TOTP"]


async def test_step_up_by_recovery_code_uses_it_up(guard: GuardedPerson, mailbox: Mailbox) -> None:
    clock.shift(timedelta(hours=1))

    session = (await guard.person.client.run(STEP_UP, recoveryCode=guard.recovery_codes[0])).expect("SessionStarted")
    again = await guard.person.client.run(STEP_UP, recoveryCode=guard.recovery_codes[0])

    again.expect("InvalidCode")
    assert session["account"]["authentication"]["methods"] == ["PASSWORD", "TOTP", "RECOVERY_CODE"]
    assert "was used" in (await mailbox.newest(guard.person.email))["subject"]


async def test_new_codes_end_the_old_ones(guard: GuardedPerson, mailbox: Mailbox) -> None:
    fresh = (await guard.person.client.run(REGENERATE)).expect("RecoveryCodes")["recoveryCodes"]

    (await guard.complete(recoveryCode=guard.recovery_codes[0])).expect("InvalidCode")
    (await guard.complete(recoveryCode=fresh[0])).expect("SessionStarted")

    assert len(set(fresh)) == 10
    assert not set(fresh) & set(guard.recovery_codes)
    status = (await guard.person.client.run(STATUS)).root
    assert status["twoFactor"]["recoveryCodesRemaining"] == 9
    assert "RECOVERY_CODES_REGENERATED" in kinds(status)
    subjects = [mail["subject"] for mail in await mailbox.mails(guard.person.email)]
    assert "New recovery codes for your Gatehouse account" in subjects


async def test_new_codes_need_a_fresh_sign_in(guard: GuardedPerson) -> None:
    clock.shift(timedelta(seconds=901))

    (await guard.person.client.run(REGENERATE)).expect("StepUpRequired")

    (await guard.complete(recoveryCode=guard.recovery_codes[0])).expect("SessionStarted")


async def test_new_codes_need_two_factor_authentication(bob: Person) -> None:
    refused = (await bob.client.run(REGENERATE)).expect("Refused")

    assert refused["code"] == "TWO_FACTOR_NOT_ENABLED"
    assert (await bob.client.run(STATUS)).root["twoFactor"]["recoveryCodesRemaining"] == 0
