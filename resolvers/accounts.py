"""Signing up: an address and a password, then the code that was mailed."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit import clock
from kit.addresses import client_network
from kit.errors import InvalidCode, InvalidInput, InvalidToken, TooManyAttempts
from kit.text import Email, clean_email
from kit.throttle import SIGN_UP_CLIENT, SIGN_UP_MAIL
from mails import messages
from models import Account, PendingSignUp, SecurityEventKind
from models.base import unit_of_work
from resolvers.callers import Caller
from resolvers.mail_caps import given_back_unless_done, may_mail
from resolvers.passwords import check_new_password
from resolvers.sessions import PASSWORD, StartedSession, note_sign_in, start_session


@dataclass(frozen=True, slots=True)
class SignUpStarted:
    """A sign-up that waits for its code. The raw token goes to the client that began, and nowhere else."""

    email: str
    raw_token: str
    expires_at: datetime


async def sign_up(caller: Caller, *, email: str, password: str) -> SignUpStarted:
    """Begin a sign-up and mail its code, or (for a taken address) mail its owner instead.

    SECURITY: both ways do the same work and give the same answer, so that neither tells who has an account
    (ASVS 6.3.8). Raises InvalidInput, TooManyAttempts.
    """
    address = _checked(email, password)
    client = client_network(caller.origin.ip_address)
    await caller.services.throttle.take([(SIGN_UP_CLIENT, client)], client=client)
    may_tell = await may_mail(caller, SIGN_UP_MAIL, address)
    charges = [(SIGN_UP_CLIENT, client), *([(SIGN_UP_MAIL, address.canonical)] if may_tell else [])]
    async with given_back_unless_done(caller, *charges):
        return await _begin(caller, address, password, may_tell=may_tell)


async def _begin(caller: Caller, address: Email, password: str, *, may_tell: bool) -> SignUpStarted:
    password_hash = await caller.services.passwords.hash(password)
    code = f"{secrets.randbelow(1_000_000):06d}"
    async with unit_of_work():
        owner = await Account.find_by_email(address)
        pending, raw_token = await PendingSignUp.start(
            address,
            password_hash=password_hash,
            code=None if owner else code,
            keyring=caller.services.keyring,
        )
        if may_tell:
            await _tell(caller, address, owner, code)
    return SignUpStarted(address.typed, raw_token, pending.expires_at)


def _checked(email: str, password: str) -> Email:
    problems = check_new_password(password, email=email, path="input.password")
    try:
        address = clean_email(email, "input.email")
    except InvalidInput as refusal:
        raise InvalidInput([*refusal.fields, *problems]) from None
    if problems:
        raise InvalidInput(problems)
    return address


async def _tell(caller: Caller, address: Email, owner: Account | None, code: str) -> None:
    if owner is None:
        await caller.mail(messages.sign_up_code(address.typed, code=code), address=address.canonical, account_id=None)
        return
    # SECURITY: to the stored address, not to the typed one (CVE-2019-19844).
    notice = messages.sign_up_known_address(owner.email, origin=caller.origin, at=clock.now())
    await caller.mail(notice, address=owner.email_canonical, account_id=owner.id)


async def complete_sign_up(caller: Caller, *, sign_up_token: str, code: str) -> StartedSession:
    """Make the account and sign in. Raises InvalidToken, InvalidCode, TooManyAttempts."""
    pending = await PendingSignUp.find_live(sign_up_token)
    if pending is None:
        raise InvalidToken
    await _take_try(pending)
    # SECURITY: after the try is counted, so that parallel guesses don't get more than five (ASVS 6.5.1).
    if not pending.fits(code, caller.services.keyring):
        raise InvalidCode
    return await _open_account(caller, pending)


async def _take_try(pending: PendingSignUp) -> None:
    """Count a try. Raises InvalidToken when the sign-up is over meanwhile, TooManyAttempts when its tries are."""
    async with unit_of_work():
        taken = await pending.take_try()
        is_left = taken or await pending.still_waits()
    if not is_left:
        raise InvalidToken
    if not taken:
        raise TooManyAttempts(max(1, int((pending.expires_at - clock.now()).total_seconds())))


async def _open_account(caller: Caller, pending: PendingSignUp) -> StartedSession:
    email = Email(typed=pending.email, canonical=pending.email_canonical)
    try:
        async with unit_of_work():
            if not await PendingSignUp.consume(pending):
                raise InvalidToken
            account = await Account.open(email, password_hash=pending.password_hash)
            await note_sign_in(caller, account)
            await caller.record(account.id, SecurityEventKind.SIGNED_UP)
            return start_session(caller, account, methods=(PASSWORD,))
    except IntegrityError:
        raise InvalidToken from None
