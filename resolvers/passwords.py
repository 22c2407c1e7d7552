"""The one place where a password is tried, whatever it is tried for."""

from uuid import UUID

import structlog
from tortoise.exceptions import IntegrityError

from kit.addresses import client_network
from kit.errors import FieldProblem, InvalidCredentials, InvalidInput, Refused, Unavailable
from kit.password_rules import MAX_LENGTH, password_problem
from kit.passwords import Verdict
from kit.text import has_controls
from kit.throttle import PASSWORD_ACCOUNT, PASSWORD_CLIENT, PASSWORD_KNOWN_CLIENT, known_client
from models import Account, SecurityEventKind, SignInOrigin
from models.base import unit_of_work
from resolvers.callers import NOBODY, Caller

log = structlog.get_logger("gatehouse.passwords")


async def prove_password(caller: Caller, account: Account | None, *, address: str, password: str, path: str) -> Verdict:
    """Try a password for the account of a canonical address, which may have none.

    SECURITY: the try is counted before the hash is computed, in one count for every door, so that neither parallel
    tries nor a side door overrun it (ASVS 6.3.1). An unknown address, a wrong password and no password at all cost
    and answer the same (ASVS 6.3.8).

    Raises InvalidCredentials, InvalidInput (text that no password can be), TooManyAttempts, Unavailable.
    """
    if len(password) > MAX_LENGTH or has_controls(password):
        raise InvalidInput.of(path, "is nothing that a password can be")
    client = client_network(caller.origin.ip_address)
    known = await SignInOrigin.is_known(account.id if account else NOBODY, client)
    own = (PASSWORD_KNOWN_CLIENT, known_client(address, client)) if known else (PASSWORD_ACCOUNT, address)
    throttle = caller.services.throttle
    await throttle.take([(PASSWORD_CLIENT, client), own], client=client)
    try:
        verdict = await caller.services.passwords.verify(account.password_hash if account else None, password)
    except Unavailable:
        # What was not tried is not counted.
        await throttle.give_back([(PASSWORD_CLIENT, client), own], client=client)
        raise
    if not verdict.matches:
        log.info("password_refused", account=str(account.id) if account else None, client=client)
        raise InvalidCredentials
    await throttle.give_back([(PASSWORD_CLIENT, client)], client=client)
    await throttle.clear(*own, client=client)
    return verdict


async def prove_own_password(caller: Caller, password: str, *, path: str | None = None) -> Account:
    """Try the caller's own password, for a change that wants it; returns the account that it was right for.

    Whoever makes the change compares the hash again under the lock. Raises InvalidCredentials, TooManyAttempts,
    Refused(PASSWORD_NOT_SET), and InvalidInput where a path is given: else, what no password can be is a wrong one.
    """
    account = await caller.read_account()
    if account.password_hash is None:
        raise Refused("PASSWORD_NOT_SET", "This account has no password: set one first.")
    try:
        await prove_password(caller, account, address=account.email_canonical, password=password, path=path or "")
    except InvalidInput:
        if path is None:
            raise InvalidCredentials from None
        raise
    return account


def check_new_password(password: str, *, email: str, path: str) -> list[FieldProblem]:
    """What is wrong with a password that someone wants to have from now on."""
    reason = password_problem(password, email=email)
    return [FieldProblem(path, reason)] if reason else []


async def record_failed_sign_in(caller: Caller, account_id: UUID | None, reason: str) -> None:
    """Write the event apart from the answer.

    SECURITY: for an address without an account too, or the next request would feel which of the two it was.
    """
    try:
        async with unit_of_work():
            if account_id is None:
                await caller.record_nobodys(SecurityEventKind.SIGN_IN_FAILED, reason=reason)
            else:
                await caller.record(account_id, SecurityEventKind.SIGN_IN_FAILED, reason=reason)
    except IntegrityError:
        log.info("event_of_a_deleted_account", kind=SecurityEventKind.SIGN_IN_FAILED.value)
