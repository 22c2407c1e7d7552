"""Signing in with Google and GitHub, and linking their identities to an account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.exceptions import IntegrityError

from kit import clock, ids
from kit.addresses import client_network
from kit.errors import InvalidInput, InvalidToken, Refused
from kit.providers import Exchange, Provider, ProviderIdentity, ProviderName, asking
from kit.text import Email, clean_email, has_controls
from kit.throttle import SOCIAL_LOGIN_CLIENT
from mails import messages
from models import Account, PendingSignUp, SecurityEventKind, SocialLogin, SocialLoginAttempt
from models.base import unit_of_work
from resolvers.callers import Caller
from resolvers.sessions import StartedSession, TwoFactorTicket, note_sign_in, open_door, start_session

SOCIAL = "SOCIAL"
_LONGEST_CODE = 2_048


@dataclass(frozen=True, slots=True)
class SocialLoginStarted:
    """A sign-in that waits for the provider. The raw handle stays with the client that began, the state travels."""

    authorization_url: str
    raw_handle: str
    state: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """An identity that opens the caller's account."""

    login: SocialLogin


async def begin_social_login(
    caller: Caller, *, provider: ProviderName, redirect_uri: str, link: bool
) -> SocialLoginStarted:
    """Send the browser to the provider, to sign in, or to link an identity to the caller's account.

    Raises InvalidInput, StepUpRequired, Refused(PROVIDER_UNAVAILABLE, PROVIDER_REFUSED).
    """
    if link:
        caller.freshly_signed_in()
    # SECURITY: compared whole with what the installation lists, so that no code goes to a stranger's page.
    if redirect_uri not in caller.services.settings.social_redirect_uris:
        raise InvalidInput.of("input.redirectUri", "is not on this installation's list")
    exchange = Exchange.begin(redirect_uri)
    async with asking(provider):
        url = await _provider(caller, provider).begin(exchange)
    attempt, raw_handle = await _start(caller, provider, exchange, link=link)
    return SocialLoginStarted(url, raw_handle, exchange.state, attempt.expires_at)


def _provider(caller: Caller, name: ProviderName) -> Provider:
    provider = caller.services.providers.get(name)
    if provider is None:
        raise Refused("PROVIDER_UNAVAILABLE", f"This installation doesn't offer {name.label}.")
    return provider


async def _start(
    caller: Caller, provider: ProviderName, exchange: Exchange, *, link: bool
) -> tuple[SocialLoginAttempt, str]:
    keyring = caller.services.keyring
    if link:
        async with caller.changing_account() as account:
            return await SocialLoginAttempt.start(provider, exchange, keyring=keyring, link_to=account)
    async with unit_of_work():
        return await SocialLoginAttempt.start(provider, exchange, keyring=keyring, link_to=None)


async def complete_social_login(
    caller: Caller, *, raw_handle: str, state: str, code: str
) -> StartedSession | TwoFactorTicket | LinkedIdentity:
    """Sign in (or take the first of two steps), or link, with what the provider sent back.

    Raises InvalidToken, TooManyAttempts, Refused (the provider's codes, ACCOUNT_EXISTS, CONFLICT).
    """
    client = client_network(caller.origin.ip_address)
    throttle = caller.services.throttle
    await throttle.take([(SOCIAL_LOGIN_CLIENT, client)], client=client)
    attempt = await _consume(caller, raw_handle, state)
    identity = await _ask(caller, attempt, code)
    outcome = await _finish(caller, attempt, identity)
    await throttle.give_back([(SOCIAL_LOGIN_CLIENT, client)], client=client)
    return outcome


async def _consume(caller: Caller, raw_handle: str, state: str) -> SocialLoginAttempt:
    attempt = await SocialLoginAttempt.find_live(raw_handle, state)
    if attempt is None or not _may_finish(caller, attempt):
        raise InvalidToken
    async with unit_of_work():
        if not await attempt.consume():
            raise InvalidToken
    return attempt


def _may_finish(caller: Caller, attempt: SocialLoginAttempt) -> bool:
    """SECURITY: what one account began to link, no other account and no guest finishes (forced linking)."""
    if attempt.account_id is None:
        return True
    session = caller.session
    return session is not None and session.account_id == attempt.account_id and session.generation == attempt.generation


async def _ask(caller: Caller, attempt: SocialLoginAttempt, code: str) -> ProviderIdentity:
    """Outside of any unit of work, since it may take seconds."""
    exchange = attempt.exchange(caller.services.keyring)
    if exchange is None:
        raise InvalidToken
    name = attempt.provider_name
    if not code or len(code) > _LONGEST_CODE or has_controls(code):
        raise Refused("PROVIDER_REFUSED", f"This is no code of {name.label}: start again.")
    async with asking(name):
        return await _provider(caller, name).complete(code, exchange)


async def _finish(
    caller: Caller, attempt: SocialLoginAttempt, identity: ProviderIdentity
) -> StartedSession | TwoFactorTicket | LinkedIdentity:
    try:
        return await _sign_in_or_link(caller, attempt, identity)
    except IntegrityError:
        # Another request was first with this identity or this address: a second look sees what it made.
        return await _sign_in_or_link(caller, attempt, identity)


async def _sign_in_or_link(
    caller: Caller, attempt: SocialLoginAttempt, identity: ProviderIdentity
) -> StartedSession | TwoFactorTicket | LinkedIdentity:
    if attempt.account_id is None:
        return await _sign_in(caller, attempt.provider_name, identity)
    return await _link(caller, attempt.provider_name, identity)


async def _sign_in(
    caller: Caller, provider: ProviderName, identity: ProviderIdentity
) -> StartedSession | TwoFactorTicket:
    email = _usable_address(identity)
    async with unit_of_work():
        # Before the identity is looked for: when another request makes the same person's account meanwhile, both are
        # seen, and he is not taken for somebody else.
        owner = await Account.find_by_email(email) if email else None
        login = await SocialLogin.find(provider, identity.subject)
        if login is None:
            return await _open_account(caller, provider, identity, email=email, owner=owner)
        account = await Account.lock(login.account_id)
        # SECURITY: looked at again under the lock, so that an identity that was just unlinked opens nothing.
        if account is None or not await SocialLogin.filter(id=login.id, account_id=account.id).exists():
            raise InvalidToken
        return await open_door(caller, account, method=SOCIAL)


async def _open_account(
    caller: Caller, provider: ProviderName, identity: ProviderIdentity, *, email: Email | None, owner: Account | None
) -> StartedSession:
    """A new account for a new identity, in the present unit of work. `owner` is whoever has the address already."""
    if email is None or not identity.email_verified:
        raise Refused("EMAIL_NOT_VERIFIED_BY_PROVIDER", f"{provider.label} has not verified an address of yours.")
    # SECURITY: an address never links by itself, since whoever holds the one need not hold the other (CVE-2026-41574).
    if owner is not None:
        raise Refused(
            "ACCOUNT_EXISTS",
            f"There is an account with this address: sign in as before, then link {provider.label} to it.",
        )
    # SECURITY: what a stranger began with this address, with a password of his own, ends here (pre-hijacking).
    await PendingSignUp.filter(email_canonical=email.canonical).delete()
    account = await Account.open(email, password_hash=None)
    await SocialLogin.link(account, provider, identity, email=email.typed)
    await note_sign_in(caller, account)
    await caller.record(account.id, SecurityEventKind.SIGNED_UP, provider=provider.value)
    return start_session(caller, account, methods=(SOCIAL,))


def _usable_address(identity: ProviderIdentity) -> Email | None:
    try:
        return clean_email(identity.email or "", "email")
    except InvalidInput:
        return None


async def _link(caller: Caller, provider: ProviderName, identity: ProviderIdentity) -> LinkedIdentity:
    async with caller.changing_account() as account:
        login = await SocialLogin.find(provider, identity.subject)
        if login is None:
            return LinkedIdentity(await _add(caller, account, provider, identity))
        if login.account_id != account.id:
            raise Refused("CONFLICT", f"This {provider.label} account opens another account already.")
        return LinkedIdentity(login)


async def _add(caller: Caller, account: Account, provider: ProviderName, identity: ProviderIdentity) -> SocialLogin:
    email = _usable_address(identity)
    login = await SocialLogin.link(account, provider, identity, email=email.typed if email else None)
    await caller.record(account.id, SecurityEventKind.SOCIAL_IDENTITY_LINKED, **_facts(login))
    notice = messages.social_identity_linked(
        account.email,
        provider=provider.label,
        display_name=login.display_name,
        origin=caller.origin,
        at=clock.now(),
    )
    await caller.mail(notice, address=account.email_canonical, account_id=account.id)
    return login


async def unlink_social_identity(caller: Caller, login_id: UUID | None) -> None:
    """Take an identity off the account. Raises NotFound, StepUpRequired, Refused(LAST_WAY_IN)."""
    caller.freshly_signed_in()
    async with caller.changing_account() as account:
        login = await SocialLogin.unlink(account, login_id)
        await caller.record(account.id, SecurityEventKind.SOCIAL_IDENTITY_UNLINKED, **_facts(login))
        notice = messages.social_identity_unlinked(
            account.email,
            provider=login.provider_name.label,
            display_name=login.display_name,
            origin=caller.origin,
            at=clock.now(),
        )
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)


def _facts(login: SocialLogin) -> dict[str, str]:
    return {
        "provider": login.provider,
        "displayName": login.display_name,
        "identityId": ids.to_global("identity", login.id),
    }
