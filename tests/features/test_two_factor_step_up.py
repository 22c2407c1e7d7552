from datetime import timedelta

from kit import clock
from models import Account
from tests.support.people import Person
from tests.support.two_factor import BEGIN, DISABLE, REGENERATE, STEP_UP, GuardedPerson


async def test_skew_is_not_told_to_a_mere_session(guard: GuardedPerson) -> None:
    answer = await guard.person.client.run(STEP_UP, code=guard.phone.code(4))

    assert answer.expect("InvalidCode")["clockSkewSeconds"] is None


async def test_step_up_by_code_makes_a_session_fresh(guard: GuardedPerson) -> None:
    clock.shift(timedelta(hours=1))
    stale = (await guard.person.client.run(BEGIN)).expect("StepUpRequired")

    session = (await guard.person.client.run(STEP_UP, code=guard.phone.code())).expect("SessionStarted")

    assert stale["methods"] == ["PASSWORD", "TOTP", "RECOVERY_CODE"]
    assert session["account"]["authentication"]["methods"] == ["PASSWORD", "TOTP"]
    (await guard.guest.bearing(session["token"]).run(REGENERATE)).expect("RecoveryCodes")
    (await guard.person.client.run(STEP_UP, code=guard.phone.code())).expect("InvalidCode")


async def test_step_up_by_password_keeps_the_second_factor(guard: GuardedPerson) -> None:
    clock.shift(timedelta(hours=1))

    session = (await guard.person.client.run(STEP_UP, password=guard.person.password)).expect("SessionStarted")

    assert session["account"]["authentication"]["methods"] == ["PASSWORD", "TOTP"]
    disabled = await guard.guest.bearing(session["token"]).run(DISABLE, password=guard.person.password)
    disabled.expect("AccountSecured")


async def test_step_up_wants_exactly_one_proof(guard: GuardedPerson) -> None:
    none = await guard.person.client.run(STEP_UP)
    two = await guard.person.client.run(STEP_UP, password=guard.person.password, code=guard.phone.next_code())

    none.expect("InvalidInput")
    two.expect("InvalidInput")
    (await guard.person.client.run(STEP_UP, code=guard.phone.code())).expect("SessionStarted")


async def test_step_up_by_code_needs_two_factor_authentication(bob: Person) -> None:
    by_code = (await bob.client.run(STEP_UP, code="123456")).expect("Refused")
    by_recovery_code = (await bob.client.run(STEP_UP, recoveryCode="0000-0000-0000-0000")).expect("Refused")

    assert {by_code["code"], by_recovery_code["code"]} == {"TWO_FACTOR_NOT_ENABLED"}


async def test_account_without_a_password_is_told_other_ways(guard: GuardedPerson, bob: Person) -> None:
    await Account.all().update(password_hash=None)
    clock.shift(timedelta(hours=1))

    plain = (await bob.client.run(BEGIN)).expect("StepUpRequired")
    guarded = (await guard.person.client.run(REGENERATE)).expect("StepUpRequired")
    by_password = (await bob.client.run(STEP_UP, password=bob.password)).expect("Refused")

    assert plain["methods"] == ["SOCIAL"]
    assert guarded["methods"] == ["SOCIAL", "TOTP", "RECOVERY_CODE"]
    assert by_password["code"] == "PASSWORD_NOT_SET"
