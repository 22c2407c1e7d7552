"""API keys: made, renamed, rotated, revoked, reported."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from kit import clock, ids
from kit.addresses import client_network
from kit.errors import InvalidInput, NotFound
from kit.instants import clean_instant
from kit.text import clean_description, clean_name
from kit.throttle import LEAK_REPORT_CLIENT
from mails import messages
from models import Account, ApiKey, ApiKeySecret, SecurityEventKind
from models.base import unit_of_work
from resolvers.callers import Caller

LONGEST_OVERLAP_SECONDS = 604_800
MOST_IDS = 1_000


async def create_api_key(caller: Caller, *, name: str, description: str, expires_at: str | None) -> tuple[ApiKey, str]:
    """Issue a named key. The raw secret leaves here once and is never stored.

    Raises InvalidInput, StepUpRequired, LimitReached.
    """
    caller.freshly_signed_in()
    name = clean_name(name, "input.name")
    description = clean_description(description, "input.description")
    ends_at = clean_instant(expires_at, "input.expiresAt")
    if ends_at is not None and ends_at <= clock.now():
        raise InvalidInput.of("input.expiresAt", "must lie in the future")
    async with caller.changing_account() as account:
        key, raw_secret = await ApiKey.issue(account, name=name, description=description, expires_at=ends_at)
        await caller.record(account.id, SecurityEventKind.API_KEY_CREATED, **_facts(key))
        notice = messages.api_key_created(account.email, key_name=key.name, origin=caller.origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
    return key, raw_secret


async def rename_api_key(caller: Caller, key_id: UUID | None, *, name: str | None, description: str | None) -> ApiKey:
    """Change what is given, leave what is None. Raises InvalidInput, NotFound."""
    caller.signed_in()
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = clean_name(name, "input.name")
    if description is not None:
        changes["description"] = clean_description(description, "input.description")
    async with caller.changing_account() as account:
        key = await ApiKey.get_own(account, key_id)
        if changes:
            await key.update_from_dict(changes).save(update_fields=list(changes))
    return key


async def rotate_api_key(caller: Caller, key_id: UUID | None, *, overlap_seconds: int) -> tuple[ApiKey, str, datetime]:
    """A new secret for a key; the former one works for the overlap, in seconds.

    Raises InvalidInput, NotFound, StepUpRequired, LimitReached.
    """
    caller.freshly_signed_in()
    if not 0 <= overlap_seconds <= LONGEST_OVERLAP_SECONDS:
        raise InvalidInput.of("input.overlapSeconds", f"must be from 0 to {LONGEST_OVERLAP_SECONDS:,}")
    async with caller.changing_account() as account:
        key = await ApiKey.get_own(account, key_id)
        if key.expires_at is not None and key.expires_at <= clock.now():
            raise InvalidInput.of("input.id", "is of a key that has expired: make a new one")
        raw_secret, ends_at = await key.rotate(overlap=timedelta(seconds=overlap_seconds))
        await caller.record(account.id, SecurityEventKind.API_KEY_ROTATED, **_facts(key))
        notice = messages.api_key_rotated(account.email, key_name=key.name, origin=caller.origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
    return key, raw_secret, ends_at


async def revoke_api_keys(caller: Caller, key_ids: Sequence[UUID | None]) -> None:
    """Revoke all of the keys, or none. Raises InvalidInput, NotFound."""
    caller.signed_in()
    if not 1 <= len(key_ids) <= MOST_IDS:
        raise InvalidInput.of("ids", f"must be from 1 to {MOST_IDS:,} ids")
    known = {key_id for key_id in key_ids if key_id is not None}
    if len(known) != len(key_ids) - list(key_ids).count(None):
        raise InvalidInput.of("ids", "must name each key once")
    if len(known) != len(key_ids):
        raise NotFound
    async with caller.changing_account() as account:
        for key in await ApiKey.revoke(account, known):
            await caller.record(account.id, SecurityEventKind.API_KEY_REVOKED, **_facts(key))


async def report_leaked_api_key(caller: Caller, raw_secret: str) -> None:
    """End a secret that someone found. Says nothing of whether it was one. Raises TooManyAttempts."""
    client = client_network(caller.origin.ip_address)
    await caller.services.throttle.take([(LEAK_REPORT_CLIENT, client)], client=client)
    async with unit_of_work():
        found = await ApiKeySecret.find(raw_secret)
        account = await Account.lock(found.api_key.account_id) if found else None
        # Read again now that nobody else changes it: it may be a former secret by now, or none.
        secret = await ApiKeySecret.find(raw_secret)
        if account is not None and secret is not None and await secret.end():
            key = secret.api_key
            # SECURITY: the owner is not told where the report came from.
            unnamed = replace(caller, origin=replace(caller.origin, ip_address="", user_agent=""))
            await unnamed.record(account.id, SecurityEventKind.API_KEY_REVOKED, **_facts(key), reason="reported_leak")
            notice = messages.api_key_leaked(account.email, key_name=key.name, at=clock.now())
            await caller.mail(notice, address=account.email_canonical, account_id=account.id)


def _facts(key: ApiKey) -> dict[str, str]:
    return {"name": key.name, "keyId": ids.to_global("apikey", key.id)}
