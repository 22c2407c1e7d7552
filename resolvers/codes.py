"""The one place where a code of the authenticator app or a recovery code is tried, whatever it is tried for."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from kit import clock, totp
from kit.addresses import client_network
from kit.errors import InvalidCode, InvalidInput, InvalidToken, Refused, Unauthenticated, Unavailable
from kit.keyring import SealBroken
from kit.throttle import CODE_ACCOUNT, CODE_CLIENT
from mails import messages
from models import Account, RecoveryCode, SecurityEventKind, TotpDevice
from resolvers.callers import Caller

log = structlog.get_logger("gatehouse.two_factor")

FEW_CODES = 2
_NOT_TRIED = (Unavailable, Unauthenticated, InvalidToken, Refused)
"""What ends a try before the code is looked at."""


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What was given as a second factor; the method is the contract's name of it."""

    method: str
    raw: str = field(repr=False)


def given_factor(code: str | None, recovery_code: str | None) -> SecondFactor:
    """The one of the two that was given. Raises InvalidInput for both and for neither."""
    if code is not None and recovery_code is None:
        return SecondFactor("TOTP", code)
    if recovery_code is not None and code is None:
        return SecondFactor("RECOVERY_CODE", recovery_code)
    raise InvalidInput.of("input.code", "must be given, or else `recoveryCode`, and not both")


@asynccontextmanager
async def counted_try(caller: Caller, account_id: UUID) -> AsyncIterator[None]:
    """Around the unit of work in which a code is tried. Raises TooManyAttempts, Unavailable.

    SECURITY: the try is counted before the code is looked at, in one count for every door, every ticket and both kinds
    of code, so that neither parallel tries nor new tickets overrun it (ASVS 6.3.1).
    """
    client = client_network(caller.origin.ip_address)
    own, throttle = (CODE_ACCOUNT, str(account_id)), caller.services.throttle
    await throttle.take([(CODE_CLIENT, client), own], client=client)
    try:
        yield
    except _NOT_TRIED:
        # What was not tried is not counted.
        await throttle.give_back([(CODE_CLIENT, client), own], client=client)
        raise
    try:
        await throttle.give_back([(CODE_CLIENT, client)], client=client)
        await throttle.clear(*own, client=client)
    except Unavailable:
        # The code is spent and the answer is earned: a count that stays too high passes by itself.
        log.warning("count_not_cleared", account=str(account_id))


async def spend_factor(caller: Caller, account: Account, factor: SecondFactor, *, holds_ticket: bool = False) -> None:
    """Use a code up, in the present unit of work, within a counted try. Raises InvalidCode.

    The account's row must be locked.
    """
    device = await TotpDevice.find_confirmed(account.id)
    if device is None:
        raise InvalidCode
    with failing_closed(account.id):
        if factor.method == "TOTP":
            await _spend_code(caller, device, factor.raw, tells_skew=holds_ticket)
        else:
            await _spend_recovery_code(caller, account, device, factor.raw)


@contextmanager
def failing_closed(account_id: UUID) -> Iterator[None]:
    """Around whatever opens a seal to try a code. Raises InvalidCode where it is broken.

    SECURITY: a row that was changed, or moved here from another account, lets nobody in, and someone must look.
    """
    try:
        yield
    except SealBroken:
        log.exception("seal_broken", account=str(account_id))
        raise InvalidCode from None


async def _spend_code(caller: Caller, device: TotpDevice, code: str, *, tells_skew: bool) -> None:
    raw_secret, now = device.unseal_secret(caller.services.keyring), clock.now()
    step = totp.matching_step(raw_secret, code, now, device.last_step)
    if step is not None and step != device.told_step and await device.accept(step):
        return
    skew = totp.clock_skew(raw_secret, code, now) if tells_skew else None
    # SECURITY: a guesser who is told that a code is right in some minutes must not use it then.
    if skew is not None and skew > 0:
        await device.note_told(totp.step_at(now + timedelta(seconds=skew)))
    raise InvalidCode(skew)


async def _spend_recovery_code(caller: Caller, account: Account, device: TotpDevice, raw_code: str) -> None:
    if not await RecoveryCode.consume(device, raw_code, caller.services.keyring):
        raise InvalidCode
    left = await RecoveryCode.remaining(account.id)
    await caller.record(account.id, SecurityEventKind.RECOVERY_CODE_USED, remaining=left)
    notice = messages.recovery_code_used(account.email, left=left, origin=caller.origin, at=clock.now())
    await caller.mail(notice, address=account.email_canonical, account_id=account.id)
    if left == FEW_CODES:
        await caller.mail(
            messages.recovery_codes_low(account.email, left=left),
            address=account.email_canonical,
            account_id=account.id,
        )
