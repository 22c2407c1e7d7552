"""Signing in and staying signed in."""

from dataclasses import dataclass
from datetime import datetime

from kit import clock
from kit.addresses import client_network
from kit.errors import InvalidCredentials, InvalidInput, Refused, Unauthenticated
from kit.session_tokens import SessionClaims
from kit.text import clean_email
from mails import messages
from models import Account, PasswordReset, RecoveryCode, SecurityEventKind, SignInOrigin, SignInTicket
from models.base import unit_of_work
from resolvers.callers import Caller, is_assured
from resolvers.codes import SecondFactor, counted_try, given_factor, spend_factor
from resolvers.passwords import prove_own_password, prove_password, record_failed_sign_in

PASSWORD = "PASSWORD"  # noqa: S105 - the contract's name of a method


@dataclass(frozen=True, slots=True)
class StartedSession:
    """A session that began with this answer. `caller` is who the bearer of the token is."""

    token: str
    claims: SessionClaims
    caller: Caller


@dataclass(frozen=True, slots=True)
class TwoFactorTicket:
    """A sign-in that waits for its second step; `methods` are those that the step may be taken with."""

    raw_ticket: str
    expires_at: datetime
    methods: tuple[str, ...]


def start_session(
    caller: Caller, account: Account, *, methods: tuple[str, ...], signed_in_at: datetime | None = None
) -> StartedSession:
    """A seven-day token of the account's present generation. Without `signed_in_at` the sign-in is now.

    Raises Unauthenticated where the methods are not enough for the account.
    """
    # SECURITY: whatever road led here, no session begins without the second factor where one is on.
    if not is_assured(account, methods):
        raise Unauthenticated
    token, claims = caller.services.sessions.issue(
        account_id=account.id,
        generation=account.generation,
        signed_in_at=signed_in_at or clock.now(),
        methods=methods,
    )
    return StartedSession(token, claims, caller.with_session(account, claims))


async def restart_session(caller: Caller, account: Account) -> StartedSession:
    """End every session of the account, and begin one for the caller, whose sign-in it keeps."""
    _, session = caller.session_of_a_person()
    await account.raise_generation()
    return start_session(caller, account, methods=session.methods, signed_in_at=session.signed_in_at)


async def note_sign_in(caller: Caller, account: Account) -> None:
    """Remember where the account was signed in from, in the present unit of work; tell its owner of a new place.

    SECURITY: who can sign in needs no reset link, so one that lies in a mailbox dies here.
    """
    origin = caller.origin
    network = client_network(origin.ip_address)
    is_new = await SignInOrigin.note(account.id, network=network, user_agent=origin.user_agent)
    await PasswordReset.end_all(account.id)
    if is_new and await SignInOrigin.are_several(account.id):
        notice = messages.sign_in_from_new_place(account.email, origin=origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)


async def open_door(caller: Caller, account: Account, *, method: str) -> StartedSession | TwoFactorTicket:
    """What follows a first factor that was right, for every road in, in the present unit of work.

    SECURITY: only this, and the second step behind its tickets, lets someone into an account that was there before
    (ASVS 6.3.4).
    """
    if is_assured(account, (method,)):
        return await enter(caller, account, methods=(method,))
    raw_ticket, expires_at = await SignInTicket.issue(account, methods=(method,))
    second = ("TOTP", "RECOVERY_CODE") if await RecoveryCode.remaining(account.id) else ("TOTP",)
    return TwoFactorTicket(raw_ticket, expires_at, second)


async def enter(caller: Caller, account: Account, *, methods: tuple[str, ...]) -> StartedSession:
    """What follows the last factor of a sign-in, in the present unit of work."""
    await note_sign_in(caller, account)
    await caller.record(account.id, SecurityEventKind.SIGNED_IN, method="+".join(methods))
    return start_session(caller, account, methods=methods)


async def log_in(caller: Caller, *, email: str, password: str) -> StartedSession | TwoFactorTicket:
    """Sign in with a password, or take the first of two steps.

    Raises InvalidCredentials, InvalidInput, TooManyAttempts.
    """
    address = clean_email(email, "input.email")
    found = await Account.find_by_email(address)
    try:
        verdict = await prove_password(
            caller, found, address=address.canonical, password=password, path="input.password"
        )
    except InvalidCredentials:
        work = record_failed_sign_in(caller, found.id if found else None, "wrong_password")
        caller.services.in_background(work)
        raise
    assert found is not None  # noqa: S101 - no account has a password that matches
    new_hash = await caller.services.passwords.hash(password) if verdict.needs_rehash else None
    return await _sign_in(caller, found, new_hash=new_hash)


async def _sign_in(caller: Caller, found: Account, *, new_hash: str | None) -> StartedSession | TwoFactorTicket:
    async with unit_of_work():
        account = await Account.lock(found.id)
        # SECURITY: a password that was changed while this one was being hashed is wrong by now.
        if account is None or not account.keeps_password_of(found):
            raise InvalidCredentials
        if new_hash is not None:
            await account.replace_password(found.password_hash, new_hash)
        return await open_door(caller, account, method=PASSWORD)


async def refresh_session(caller: Caller) -> StartedSession:
    """A new token for a valid one: same sign-in, seven more days at most. Raises Refused(SESSION_REQUIRED)."""
    _, session = caller.session_of_a_person()
    async with caller.changing_account() as account:
        return start_session(caller, account, methods=session.methods, signed_in_at=session.signed_in_at)


async def step_up(
    caller: Caller, *, password: str | None, code: str | None, recovery_code: str | None
) -> StartedSession:
    """Prove again who is calling, for a session fresh enough for sensitive changes.

    What the session was proved with before counts on. Raises InvalidCredentials, InvalidCode, InvalidInput,
    TooManyAttempts, Refused(SESSION_REQUIRED, PASSWORD_NOT_SET, TWO_FACTOR_NOT_ENABLED).
    """
    caller.session_of_a_person()
    if [password, code, recovery_code].count(None) != 2:  # noqa: PLR2004 - all but one
        raise InvalidInput.of("input", "must hold exactly one of `password`, `code` and `recoveryCode`")
    if password is not None:
        return await _step_up_by_password(caller, password)
    return await _step_up_by_factor(caller, given_factor(code, recovery_code))


async def _step_up_by_password(caller: Caller, password: str) -> StartedSession:
    proved = await prove_own_password(caller, password, path="input.password")
    async with caller.changing_account() as account:
        if not account.keeps_password_of(proved):
            raise InvalidCredentials
        return await _freshen(caller, account, PASSWORD)


async def _step_up_by_factor(caller: Caller, factor: SecondFactor) -> StartedSession:
    facts = caller.signed_in()
    if facts.two_factor_enabled_at is None:
        raise Refused("TWO_FACTOR_NOT_ENABLED", "Two-factor authentication is off.")
    async with counted_try(caller, facts.id), caller.changing_account() as account:
        await spend_factor(caller, account, factor)
        return await _freshen(caller, account, factor.method)


async def _freshen(caller: Caller, account: Account, method: str) -> StartedSession:
    _, session = caller.session_of_a_person()
    await note_sign_in(caller, account)
    return start_session(caller, account, methods=tuple(dict.fromkeys((*session.methods, method))))


async def sign_out_everywhere(caller: Caller) -> StartedSession:
    """End every session, and begin one for the caller. Raises Refused(SESSION_REQUIRED)."""
    caller.session_of_a_person()
    async with caller.changing_account() as account:
        await caller.record(account.id, SecurityEventKind.SIGNED_OUT_EVERYWHERE)
        return await restart_session(caller, account)
