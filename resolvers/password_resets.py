"""Getting back in with a mailed link."""

from contextlib import suppress

from kit import clock
from kit.addresses import client_network
from kit.errors import InvalidInput, InvalidToken, Unavailable
from kit.text import Email, clean_email
from kit.throttle import PASSWORD_ACCOUNT, PASSWORD_KNOWN_CLIENT, RESET_MAIL, RESET_REQUEST_CLIENT, known_client
from mails import messages
from models import Account, ApiKey, PasswordReset, SecurityEventKind, SignInOrigin
from models.base import unit_of_work
from resolvers.callers import Caller
from resolvers.mail_caps import given_back_unless_done, may_mail
from resolvers.passwords import check_new_password

_REQUESTED = SecurityEventKind.PASSWORD_RESET_REQUESTED


async def request_password_reset(caller: Caller, *, email: str) -> str:
    """Mail a link to the account of an address, if there is one; returns the address that was asked for.

    SECURITY: a known and an unknown address take the same statements, and a decoy goes the mail's way, so that
    nothing but the mailbox tells who has an account (ASVS 6.3.8). Raises InvalidInput, TooManyAttempts.
    """
    address = clean_email(email, "email")
    client = client_network(caller.origin.ip_address)
    await caller.services.throttle.take([(RESET_REQUEST_CLIENT, client)], client=client)
    # An address that has had its mails keeps the link that it has: strangers can't take it away by asking on.
    if await may_mail(caller, RESET_MAIL, address):
        async with given_back_unless_done(caller, (RESET_REQUEST_CLIENT, client), (RESET_MAIL, address.canonical)):
            await _mail_link(caller, address)
    return address.typed


async def _mail_link(caller: Caller, address: Email) -> None:
    async with unit_of_work():
        account = await Account.lock_by_email(address)
        link = _link(caller, await PasswordReset.start(address, account))
        # SECURITY: to the stored address, not to the typed one (CVE-2019-19844).
        to = account.email if account else ""
        message = messages.password_reset_link(to, link=link, origin=caller.origin, at=clock.now())
        await caller.mail(message, address=address.canonical, account_id=account.id if account else None)
        if account:
            await caller.record(account.id, _REQUESTED)
        else:
            await caller.record_nobodys(_REQUESTED)


def _link(caller: Caller, raw_token: str) -> str:
    # SECURITY: from the settings alone; no header of the request reaches a mailed link.
    settings = caller.services.settings
    return settings.public_url + settings.password_reset_path.replace("{token}", raw_token)


async def reset_password(caller: Caller, *, token: str, new_password: str) -> str:
    """Set a new password with a mailed token; returns the account's address. Nobody is signed in by it.

    SECURITY: every session ends, two-factor authentication stays, and a token is spent only when it worked.
    Raises InvalidInput, InvalidToken, Unavailable.
    """
    reset = await PasswordReset.find_live(token)
    email = reset.account.email if reset and reset.account else ""
    if problems := check_new_password(new_password, email=email, path="input.newPassword"):
        raise InvalidInput(problems)
    if reset is None:
        raise InvalidToken
    password_hash = await caller.services.passwords.hash(new_password)
    account = await _use(caller, reset, password_hash)
    await _let_in_again(caller, account)
    return account.email


async def _use(caller: Caller, reset: PasswordReset, password_hash: str) -> Account:
    async with unit_of_work():
        account = await Account.lock(reset.account_id) if reset.account_id else None
        if account is None or not await reset.consume(account):
            raise InvalidToken
        account.password_hash = password_hash
        await account.save(update_fields=["password_hash"])
        await account.raise_generation()
        # Whoever reads the account's mail is its owner: where they call from is known from now on.
        origin = caller.origin
        await SignInOrigin.note(account.id, network=client_network(origin.ip_address), user_agent=origin.user_agent)
        await caller.record(account.id, SecurityEventKind.PASSWORD_RESET)
        names = await ApiKey.live_names(account)
        notice = messages.password_reset(account.email, key_names=names, origin=origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
    return account


async def _let_in_again(caller: Caller, account: Account) -> None:
    """Forget this client's wrong passwords for the account: a reset gets through, whoever guesses meanwhile."""
    client = client_network(caller.origin.ip_address)
    for own in (
        (PASSWORD_KNOWN_CLIENT, known_client(account.email_canonical, client)),
        (PASSWORD_ACCOUNT, account.email_canonical),
    ):
        # The password is set by now, whether or not the counters answer.
        with suppress(Unavailable):
            await caller.services.throttle.clear(*own, client=client)
