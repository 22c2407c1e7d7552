"""Two-factor authentication: paired, confirmed, asked for at sign-in, its recovery codes replaced, switched off."""

from dataclasses import dataclass, field
from datetime import datetime

from kit import clock, totp
from kit.errors import InvalidCode, InvalidCredentials, InvalidToken, Refused
from kit.keyring import Keyring
from mails import messages
from models import Account, RecoveryCode, SecurityEventKind, SignInTicket, TotpDevice
from models.base import unit_of_work
from resolvers.callers import Caller
from resolvers.codes import SecondFactor, counted_try, failing_closed, given_factor, spend_factor
from resolvers.passwords import prove_own_password
from resolvers.sessions import PASSWORD, StartedSession, enter, start_session


@dataclass(frozen=True, slots=True)
class StartedPairing:
    """A pairing that waits for its first code. The raw secret leaves here once."""

    raw_secret: str = field(repr=False)
    raw_uri: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EnabledTwoFactor:
    """Two-factor authentication is on. The raw codes leave here once."""

    raw_codes: list[str] = field(repr=False)
    session: StartedSession


async def begin_two_factor_pairing(caller: Caller) -> StartedPairing:
    """A new secret for an authenticator app; nothing is on yet. Raises StepUpRequired, Refused."""
    caller.freshly_signed_in()
    raw_secret = totp.new_secret()
    async with caller.changing_account() as account:
        # SECURITY: an app that is in use is never replaced without being switched off first.
        _check_is_off(account)
        expires_at = await TotpDevice.begin(account, raw_secret, caller.services.keyring)
    return StartedPairing(raw_secret, totp.provisioning_uri(raw_secret, account.email), expires_at)


async def confirm_two_factor_pairing(caller: Caller, *, code: str) -> EnabledTwoFactor:
    """Switch it on with a first code of the app. All other sessions end.

    Raises InvalidCode, TooManyAttempts, Refused.
    """
    facts, session = caller.session_of_a_person()
    await _get_pending(await caller.read_account())
    async with counted_try(caller, facts.id), caller.changing_account() as account:
        device = await _get_pending(account)
        with failing_closed(account.id):
            await _confirm(device, code, caller.services.keyring)
        raw_codes = await RecoveryCode.issue(device, caller.services.keyring)
        account.two_factor_enabled_at = clock.now()
        await account.save(update_fields=["two_factor_enabled_at"])
        await account.raise_generation()
        await caller.record(account.id, SecurityEventKind.TWO_FACTOR_ENABLED)
        notice = messages.two_factor_enabled(account.email, origin=caller.origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
        return EnabledTwoFactor(raw_codes, _renewed(caller, account, (*session.methods, "TOTP")))


async def _get_pending(account: Account) -> TotpDevice:
    _check_is_off(account)
    device = await TotpDevice.find_pending(account.id)
    if device is None:
        raise Refused("PAIRING_NOT_STARTED", "No pairing was begun, or it has expired: begin one.")
    return device


async def _confirm(device: TotpDevice, code: str, keyring: Keyring) -> None:
    """SECURITY: the first code is spent like any other, so that it does not sign in too (RFC 6238 section 5.2)."""
    raw_secret, now = device.unseal_secret(keyring), clock.now()
    step = totp.matching_step(raw_secret, code, now, None)
    if step is None or not await device.confirm(step):
        # The secret was just shown to the caller: the skew tells nothing that they don't know.
        raise InvalidCode(totp.clock_skew(raw_secret, code, now))


async def complete_two_factor(
    caller: Caller, *, ticket: str, code: str | None, recovery_code: str | None
) -> StartedSession:
    """The second step of a sign-in. Raises InvalidCode, InvalidToken, InvalidInput, TooManyAttempts."""
    factor = given_factor(code, recovery_code)
    found = await SignInTicket.find_live(ticket)
    if found is None:
        raise InvalidToken
    async with counted_try(caller, found.account_id):
        outcome = await _take_second_step(caller, found, factor)
        if isinstance(outcome, InvalidCode):
            raise outcome
        return outcome


async def _take_second_step(caller: Caller, ticket: SignInTicket, factor: SecondFactor) -> StartedSession | InvalidCode:
    """A wrong code is returned, not raised, so that the ticket's try and the event are kept."""
    async with unit_of_work():
        account = await Account.lock(ticket.account_id)
        # SECURITY: a ticket of an older generation is dead: the password or the factor was changed since.
        if account is None or not await ticket.take_try(account):
            raise InvalidToken
        try:
            await spend_factor(caller, account, factor, holds_ticket=True)
        except InvalidCode as refusal:
            reason = "wrong_code" if factor.method == "TOTP" else "wrong_recovery_code"
            await caller.record(account.id, SecurityEventKind.SIGN_IN_FAILED, reason=reason)
            return refusal
        if not await ticket.consume():
            raise InvalidToken
        return await enter(caller, account, methods=(*ticket.methods, factor.method))


async def regenerate_recovery_codes(caller: Caller) -> list[str]:
    """New recovery codes in place of the old ones. They leave here once. Raises StepUpRequired, Refused."""
    caller.freshly_signed_in()
    caller.require_second_factor()
    async with caller.changing_account() as account:
        device = await TotpDevice.find_confirmed(account.id)
        if device is None:
            raise _is_off()
        raw_codes = await RecoveryCode.issue(device, caller.services.keyring)
        await caller.record(account.id, SecurityEventKind.RECOVERY_CODES_REGENERATED)
        notice = messages.recovery_codes_regenerated(account.email, origin=caller.origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
    return raw_codes


async def disable_two_factor(caller: Caller, *, password: str) -> StartedSession:
    """Switch it off, wipe the secret and the codes, end all other sessions.

    Raises InvalidCredentials, TooManyAttempts, Refused.
    """
    facts, session = caller.require_second_factor()
    if facts.two_factor_enabled_at is None:
        raise _is_off()
    proved = await prove_own_password(caller, password)
    async with caller.changing_account() as account:
        if not account.keeps_password_of(proved):
            raise InvalidCredentials
        await TotpDevice.remove(account)
        account.two_factor_enabled_at = None
        await account.save(update_fields=["two_factor_enabled_at"])
        await account.raise_generation()
        await caller.record(account.id, SecurityEventKind.TWO_FACTOR_DISABLED)
        notice = messages.two_factor_disabled(account.email, origin=caller.origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
        return _renewed(caller, account, (*session.methods, PASSWORD))


def _renewed(caller: Caller, account: Account, methods: tuple[str, ...]) -> StartedSession:
    """The caller's new session after a change that ended the old ones; the person was just proved."""
    return start_session(caller, account, methods=tuple(dict.fromkeys(methods)))


def _check_is_off(account: Account) -> None:
    if account.two_factor_enabled_at is not None:
        raise Refused("TWO_FACTOR_ALREADY_ENABLED", "Two-factor authentication is on: switch it off first.")


def _is_off() -> Refused:
    return Refused("TWO_FACTOR_NOT_ENABLED", "Two-factor authentication is off.")
