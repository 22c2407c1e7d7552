import pytest

from models import Account, RecoveryCode, TotpDevice
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.two_factor import (
    DISABLE,
    LOG_IN,
    REGENERATE,
    STATUS,
    STEP_UP,
    GuardedPerson,
    enable_two_factor,
    kinds,
)

CHANGED = "Two-factor authentication is off for your Gatehouse account"


async def is_on(guard: GuardedPerson) -> bool:
    """Whether signing in takes a second factor, and nothing of it was wiped or told."""
    status = (await guard.person.client.run(STATUS)).root
    assert "TWO_FACTOR_DISABLED" not in kinds(status)
    return bool(status["twoFactor"]["enabled"]) and status["twoFactor"]["recoveryCodesRemaining"] == 10


async def test_password_switches_it_off_and_wipes_everything(guard: GuardedPerson, mailbox: Mailbox) -> None:
    other, ticket = await guard.sign_in(), await guard.ticket()

    secured = (await guard.person.client.run(DISABLE, password=guard.person.password)).expect("AccountSecured")

    assert secured["account"]["twoFactor"] == {"enabled": False, "recoveryCodesRemaining": 0}
    assert await TotpDevice.all().count() == await RecoveryCode.all().count() == 0
    for ended in (other, guard.person.client):
        assert (await ended.run(STATUS)).status == 401
    (await guard.complete(ticket=ticket, code=guard.phone.next_code())).expect("InvalidToken")
    status = (await guard.guest.bearing(secured["session"]["token"]).run(STATUS)).root
    assert kinds(status)[0] == "TWO_FACTOR_DISABLED"
    assert (await mailbox.newest(guard.person.email))["subject"] == CHANGED
    (await guard.guest.run(LOG_IN, email=guard.person.email, password=guard.person.password)).expect("SessionStarted")


@pytest.mark.parametrize("password", ["not the passphrase", "", "\0", "\ud800", "x" * 300])
async def test_wrong_password_leaves_it_on(guard: GuardedPerson, mailbox: Mailbox, password: str) -> None:
    (await guard.person.client.run(DISABLE, password=password)).expect("InvalidCredentials")

    assert await is_on(guard)
    assert CHANGED not in [mail["subject"] for mail in await mailbox.mails()]


async def test_wrong_passwords_share_the_count_of_every_door(guard: GuardedPerson) -> None:
    for _ in range(10):
        (await guard.person.client.run(DISABLE, password="not the passphrase")).expect("InvalidCredentials")

    right = await guard.person.client.run(DISABLE, password=guard.person.password)
    by_step_up = await guard.person.client.run(STEP_UP, password=guard.person.password)

    right.expect("TooManyAttempts")
    by_step_up.expect("TooManyAttempts")
    assert await is_on(guard)


async def test_codes_of_the_old_app_are_dead_after_a_new_pairing(guard: GuardedPerson) -> None:
    secured = (await guard.person.client.run(DISABLE, password=guard.person.password)).expect("AccountSecured")
    ann = Person(
        guard.person.email,
        guard.person.password,
        guard.person.account_id,
        secured["session"]["token"],
        guard.guest.bearing(secured["session"]["token"]),
    )

    renewed = await enable_two_factor(ann)

    (await renewed.complete(code=guard.phone.next_code())).expect("InvalidCode")
    (await renewed.complete(recoveryCode=guard.recovery_codes[0])).expect("InvalidCode")
    (await renewed.complete(code=renewed.phone.next_code())).expect("SessionStarted")


async def test_account_without_a_password_sets_one_first(guard: GuardedPerson) -> None:
    await Account.filter(email=guard.person.email).update(password_hash=None)

    refused = (await guard.person.client.run(DISABLE, password=guard.person.password)).expect("Refused")

    assert refused["code"] == "PASSWORD_NOT_SET"
    assert await is_on(guard)


async def test_what_is_off_cannot_be_switched_off(bob: Person) -> None:
    refused = (await bob.client.run(DISABLE, password=bob.password)).expect("Refused")

    assert refused["code"] == "TWO_FACTOR_NOT_ENABLED"


async def test_session_without_the_second_factor_cannot_switch_it_off(bob: Person, guard: GuardedPerson) -> None:
    # No road leads to such a session: it is made by giving Bob's account the flag that his session knows nothing of.
    enabled_at = (await Account.get(email=guard.person.email)).two_factor_enabled_at
    await Account.filter(email=bob.email).update(two_factor_enabled_at=enabled_at)

    refused = (await bob.client.run(DISABLE, password=bob.password)).expect("Refused")
    denied = (await bob.client.run(REGENERATE)).expect("Refused")
    refreshed = await bob.client.run("mutation { refreshSession { __typename } }")
    stepped_up = await bob.client.run(STEP_UP, password=bob.password)

    assert refused["code"] == denied["code"] == "SESSION_REQUIRED"
    assert refreshed.error_codes == stepped_up.error_codes == ["UNAUTHENTICATED"]
    assert (await Account.get(email=bob.email)).two_factor_enabled_at == enabled_at
