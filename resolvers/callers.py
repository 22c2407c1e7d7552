"""Who is calling, from where, with what: the first argument of every resolver."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from kit import clock, tokens
from kit.errors import Refused, StepUpRequired, Unauthenticated
from kit.keyring import Keyring
from kit.origin import Origin
from kit.passwords import Passwords
from kit.providers import Provider, ProviderName
from kit.session_tokens import SessionClaims, SessionTokens
from kit.settings import Settings
from kit.throttle import Throttle
from models import Account, ApiKeySecret, Message, NobodysEvent, OutgoingMail, SecurityEvent, SecurityEventKind
from models.base import after_commit, unit_of_work
from models.credentials import AccountFacts, CredentialReader
from resolvers.feeds import Credential
from resolvers.key_usage import KeyUsage
from resolvers.live_events import LiveEvents

SECOND_FACTORS = frozenset({"TOTP", "RECOVERY_CODE"})


NOBODY = UUID(int=0)
"""Stands for the account of an unknown address, so that both cost the same."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the process has one of, made by server.py."""

    settings: Settings
    keyring: Keyring
    sessions: SessionTokens
    passwords: Passwords
    throttle: Throttle
    providers: Mapping[ProviderName, Provider]
    reader: CredentialReader
    key_usage: KeyUsage
    live_events: LiveEvents
    wake_sender: Callable[[], None]
    in_background: Callable[[Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's caller: a guest, a person with a session, or a program with an API key."""

    services: Services
    origin: Origin
    account: AccountFacts | None = None
    session: SessionClaims | None = None
    api_key_id: UUID | None = None
    secret_digest: str | None = None

    def signed_in(self) -> AccountFacts:
        """The account of any good credential. Raises Unauthenticated."""
        if self.account is None:
            raise Unauthenticated
        return self.account

    def session_of_a_person(self) -> tuple[AccountFacts, SessionClaims]:
        """The account and its session. Raises Unauthenticated, or Refused(SESSION_REQUIRED) for an API key."""
        account = self.signed_in()
        if self.session is None:
            raise Refused("SESSION_REQUIRED", "An API key can't do this: sign in.")
        return account, self.session

    def freshly_signed_in(self) -> AccountFacts:
        """The account, where the person signed in a short while ago. Raises Unauthenticated, StepUpRequired."""
        account = self.signed_in()
        longest = self.services.settings.step_up_max_age
        # SECURITY: an API key never counts as a sign-in, whatever its age (ASVS 7.5.3).
        if self.session is None or clock.now() - self.session.signed_in_at > timedelta(seconds=longest):
            raise StepUpRequired(step_up_methods(account), longest)
        return account

    def require_second_factor(self) -> tuple[AccountFacts, SessionClaims]:
        """The account and its session, which passed the second factor where one is on.

        Raises Unauthenticated, or Refused(SESSION_REQUIRED) for an API key and for a session without that factor.
        """
        account, session = self.session_of_a_person()
        # SECURITY: whoever only has the password must not get rid of the factor that stands beside it.
        if not is_assured(account, session.methods):
            raise Refused("SESSION_REQUIRED", "This needs a session that passed the second factor: sign in again.")
        return account, session

    async def read_account(self) -> Account:
        """The caller's account as it is now, not locked. Raises Unauthenticated where it is gone."""
        account = await Account.get_or_none(id=self.signed_in().id)
        if account is None:
            raise Unauthenticated
        return account

    @asynccontextmanager
    async def changing_account(self) -> AsyncIterator[Account]:
        """A unit of work with the caller's account row locked.

        SECURITY: the credential is checked again under the lock, so that nothing in flight outlives a sign-out,
        a revoked key or a deletion. Raises Unauthenticated.
        """
        async with unit_of_work():
            account = await Account.lock(self.signed_in().id)
            if account is None or not await self._still_holds(account):
                raise Unauthenticated
            yield account

    async def check_still_signed_in(self) -> None:
        """For the end of what takes long outside of any unit of work. Raises Unauthenticated."""
        if not await self._still_holds(await self.read_account()):
            raise Unauthenticated

    async def _still_holds(self, account: Account) -> bool:
        if self.session is not None:
            return self.session.generation == account.generation
        return await ApiKeySecret.still_opens(self.secret_digest, account)

    async def record(self, account_id: UUID, kind: SecurityEventKind, **details: str | int | bool | None) -> None:
        """Write a security event in the present unit of work, and tell live streams of it."""
        await SecurityEvent.record(account_id, kind, self.origin, **details)
        await self.services.live_events.announce(account_id)

    async def record_nobodys(self, kind: SecurityEventKind, **details: str) -> None:
        """As much work as `record`, for something that was asked for an address without an account.

        SECURITY: each statement that one of the two took alone would tell who has an account (ASVS 6.3.8).
        """
        await NobodysEvent.record(kind, self.origin, **details)
        await self.services.live_events.announce(NOBODY)

    async def mail(self, message: Message, *, address: str, account_id: UUID | None) -> None:
        """Queue a mail in the present unit of work; `address` is the recipient's canonical one.

        `account_id` says in whose export it stands, and with whom it goes: None where only an address is written to.
        """
        await OutgoingMail.queue(message, address=address, account_id=account_id, keyring=self.services.keyring)
        after_commit(self.services.wake_sender)

    def credential(self) -> Credential:
        """What a live stream of this caller rests on. Raises Unauthenticated."""
        account_id = self.signed_in().id
        if self.session is not None:
            return Credential(account_id, generation=self.session.generation, expires_at=self.session.expires_at)
        return Credential(account_id, api_key_id=self.api_key_id, secret_digest=self.secret_digest)

    async def mail_many(self, mails: Sequence[tuple[Message, str, UUID | None]]) -> None:
        """Queue many mails in the present unit of work, each with its recipient's address and account as in `mail`."""
        await OutgoingMail.queue_many(mails, keyring=self.services.keyring)
        after_commit(self.services.wake_sender)

    def with_session(self, account: Account, claims: SessionClaims) -> "Caller":
        """The same caller, as whom a session that was just started makes it."""
        return replace(self, account=facts_of(account), session=claims, api_key_id=None, secret_digest=None)


def facts_of(account: Account) -> AccountFacts:
    """What a request knows of its account, from a row."""
    return AccountFacts(
        id=account.id,
        email=account.email,
        created_at=account.created_at,
        generation=account.generation,
        has_password=account.password_hash is not None,
        two_factor_enabled_at=account.two_factor_enabled_at,
    )


def is_assured(account: Account | AccountFacts, methods: Iterable[str]) -> bool:
    """Whether methods (the contract's names) are enough to be signed in to the account.

    SECURITY: the one assurance rule, for every door (ASVS 6.3.4): where two-factor authentication is on, a second
    factor is among them.
    """
    return account.two_factor_enabled_at is None or not SECOND_FACTORS.isdisjoint(methods)


def step_up_methods(account: AccountFacts) -> list[str]:
    """What the person can prove the account with again."""
    first = "PASSWORD" if account.has_password else "SOCIAL"
    return [first] if account.two_factor_enabled_at is None else [first, "TOTP", "RECOVERY_CODE"]


async def identify(services: Services, authorization: str | None, origin: Origin) -> Caller:
    """The caller behind an `Authorization` header, or a guest without one.

    Raises Unauthenticated (one answer for every reason), Unavailable.
    """
    if authorization is None:
        return Caller(services, origin)
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    # Only what stands between the two is left out: a token has one spelling.
    credential = credential.strip(" ")
    if credential.startswith(f"{tokens.API_KEY_PREFIX}_"):
        return await _identify_key(services, credential, origin)
    return await _identify_session(services, credential, origin)


async def _identify_session(services: Services, token: str, origin: Origin) -> Caller:
    claims = services.sessions.read(token)
    account = await services.reader.find_account(claims.account_id)
    # SECURITY: a generation is an exact match, so that no clock's grain lets an ended session through (ASVS 7.4.1).
    if account is None or account.generation != claims.generation:
        raise Unauthenticated
    return Caller(services, origin, account=account, session=claims)


async def _identify_key(services: Services, raw_secret: str, origin: Origin) -> Caller:
    # SECURITY: the checksum is looked at before the database is, so that noise costs nothing.
    if not tokens.has_api_key_form(raw_secret):
        raise Unauthenticated
    digest = tokens.digest(raw_secret)
    found = await services.reader.find_key(digest)
    if found is None:
        raise Unauthenticated
    account, key = found
    now = clock.now()
    if any(end is not None and end <= now for end in (key.ends_at, key.expires_at)):
        raise Unauthenticated
    services.key_usage.note(key.id)
    return Caller(services, origin, account=account, api_key_id=key.id, secret_digest=digest)
