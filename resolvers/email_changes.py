"""Moving an account to another address: asked for, then confirmed with the code that was mailed there."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError

from kit import clock
from kit.addresses import client_network
from kit.errors import InvalidCode, InvalidInput, Refused, TooManyAttempts
from kit.text import Email, clean_email
from kit.throttle import Limit, Window
from mails import messages
from models import Account, EmailChange, SecurityEventKind
from models.base import unit_of_work
from resolvers.callers import Caller
from resolvers.mail_caps import may_mail
from resolvers.sessions import StartedSession, restart_session

_DAY = 86_400

# Left open by the contract. These mails go where the caller says, so they are bounded twice: aloud for the account,
# silently for the address.
EMAIL_CHANGE_ACCOUNT = Limit("email_change_account", (Window(20, _DAY),))
EMAIL_CHANGE_MAIL = Limit("email_change_mail", (Window(5, _DAY),))


@dataclass(frozen=True, slots=True)
class EmailChangeStarted:
    """A change of address that waits for its code."""

    new_email: str
    expires_at: datetime


async def request_email_change(caller: Caller, *, new_email: str) -> EmailChangeStarted:
    """Mail a code to the new address, and a notice to the present one.

    SECURITY: an address that is another account's gets the same answer and the same work; its owner gets a notice
    instead of the code. Raises InvalidInput, StepUpRequired, TooManyAttempts.
    """
    facts = caller.freshly_signed_in()
    address = clean_email(new_email, "newEmail")
    if address.typed == facts.email:
        raise InvalidInput.of("newEmail", "is the account's address already")
    client = client_network(caller.origin.ip_address)
    await caller.services.throttle.take([(EMAIL_CHANGE_ACCOUNT, str(facts.id))], client=client)
    may_tell = await may_mail(caller, EMAIL_CHANGE_MAIL, address)
    code = f"{secrets.randbelow(1_000_000):06d}"
    async with caller.changing_account() as account:
        owner = await Account.find_by_email(address)
        is_taken = owner is not None and owner.id != account.id
        # An address that has had its mails keeps the code that it has.
        change = None if may_tell else await EmailChange.find_live(account.id, account.generation)
        if change is None or change.email_canonical != address.canonical:
            # Without a mail there is no code either: an address can't be guessed at more often than it is told.
            works = may_tell and not is_taken
            keyring = caller.services.keyring
            change = await EmailChange.start(account, address, code=code if works else None, keyring=keyring)
        if may_tell:
            await _tell(caller, account, address, owner if is_taken else None, code)
        await _tell_present_address(caller, account, address)
        await caller.record(account.id, SecurityEventKind.EMAIL_CHANGE_REQUESTED, newEmail=address.typed)
    return EmailChangeStarted(address.typed, change.expires_at)


async def _tell(caller: Caller, account: Account, address: Email, owner: Account | None, code: str) -> None:
    if owner is None:
        message = messages.email_change_code(address.typed, code=code)
        await caller.mail(message, address=address.canonical, account_id=account.id)
        return
    # SECURITY: to the stored address, not to the typed one (CVE-2019-19844).
    notice = messages.email_change_known_address(owner.email, origin=caller.origin, at=clock.now())
    await caller.mail(notice, address=owner.email_canonical, account_id=owner.id)


async def _tell_present_address(caller: Caller, account: Account, address: Email) -> None:
    notice = messages.email_change_requested(
        account.email, new_email=address.typed, origin=caller.origin, at=clock.now()
    )
    await caller.mail(notice, address=account.email_canonical, account_id=account.id)


async def confirm_email_change(caller: Caller, *, code: str) -> StartedSession:
    """Move the account to the new address, end every session, begin one for the caller.

    Raises InvalidCode (also where nothing is pending), TooManyAttempts, Refused(SESSION_REQUIRED, CONFLICT).
    """
    facts, session = caller.session_of_a_person()
    change = await EmailChange.find_live(facts.id, session.generation)
    if change is None:
        raise InvalidCode
    await _take_try(change)
    # SECURITY: after the try is counted, so that parallel guesses don't get more than five (ASVS 6.5.1).
    if not change.fits(code, caller.services.keyring):
        raise InvalidCode
    try:
        return await _move(caller, change)
    except IntegrityError:
        # Told only to someone who can read the mail of the address.
        raise Refused("CONFLICT", "The address has become another account's meanwhile.") from None


async def _take_try(change: EmailChange) -> None:
    """Count a try. Raises InvalidCode when the change is over meanwhile, TooManyAttempts when its tries are."""
    async with unit_of_work():
        taken = await change.take_try()
        is_left = taken or await change.still_waits()
    if not is_left:
        raise InvalidCode
    if not taken:
        raise TooManyAttempts(max(1, int((change.expires_at - clock.now()).total_seconds())))


async def _move(caller: Caller, change: EmailChange) -> StartedSession:
    async with caller.changing_account() as account:
        if not await change.consume():
            raise InvalidCode
        former, former_canonical = account.email, account.email_canonical
        await account.move_to(Email(typed=change.email, canonical=change.email_canonical))
        await caller.record(account.id, SecurityEventKind.EMAIL_CHANGED, oldEmail=former, newEmail=account.email)
        origin, at = caller.origin, clock.now()
        to_former = messages.email_changed_from(former, new_email=account.email, origin=origin, at=at)
        await caller.mail(to_former, address=former_canonical, account_id=account.id)
        to_new = messages.email_changed_to(account.email, origin=origin, at=at)
        await caller.mail(to_new, address=account.email_canonical, account_id=account.id)
        return await restart_session(caller, account)
