"""Leaving for good: what would go, and its going in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit import clock, ids
from kit.errors import InvalidCredentials
from mails import messages
from models import (
    Account,
    ApiKey,
    Device,
    Fleet,
    FleetInvitation,
    Membership,
    OutgoingMail,
    PasswordReset,
    PendingSignUp,
    SecurityEvent,
    SecurityEventKind,
)
from models.members import fleets_of
from resolvers.callers import Caller
from resolvers.fleet_notices import facts, tell_members_that_it_is_gone, unnamed
from resolvers.passwords import prove_own_password


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What goes with an account, counted."""

    fleets: int
    devices: int
    api_keys: int
    members_affected: int
    memberships_left: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """An account that is gone."""

    email: str
    removed: DeletionPlan
    deleted_at: datetime


async def plan_deletion(account_id: UUID) -> DeletionPlan:
    """What `delete_account` would remove."""
    in_own_fleets = Membership.filter(fleet__owner_id=account_id).exclude(account_id=account_id)
    return DeletionPlan(
        fleets=await Fleet.filter(owner_id=account_id).count(),
        devices=await Device.filter(fleet__owner_id=account_id).count(),
        api_keys=await ApiKey.filter(account_id=account_id).count(),
        members_affected=len(set(await in_own_fleets.values_list("account_id", flat=True))),
        memberships_left=await Membership.filter(account_id=account_id).exclude(fleet__owner_id=account_id).count(),
    )


async def delete_account(caller: Caller, *, password: str) -> Deletion:
    """Remove the account and all that hangs on it, in one transaction.

    Raises InvalidCredentials, TooManyAttempts, Refused(SESSION_REQUIRED, PASSWORD_NOT_SET).
    """
    caller.require_second_factor()
    proved = await prove_own_password(caller, password)
    async with caller.changing_account() as account:
        # SECURITY: a password that was changed while this one was being hashed is wrong by now.
        if not account.keeps_password_of(proved):
            raise InvalidCredentials
        return await _remove(caller, account)


async def _remove(caller: Caller, account: Account) -> Deletion:
    """Everything, in the present unit of work. The account's row is locked."""
    # In the order of their ids, as whoever locks several fleets does; and all of them before anything is written.
    fleets = await fleets_of(account.id).order_by("id").select_for_update(no_key=True)
    removed = await plan_deletion(account.id)
    own = [fleet for fleet in fleets if fleet.owner_id == account.id]
    await tell_members_that_it_is_gone(caller, account, own)
    await _tell_owners(caller, account, [fleet for fleet in fleets if fleet.owner_id != account.id])
    await _remove_fleets(own)
    await _remove_what_no_key_refers_to(caller, account)
    # Whatever refers to the account goes by its foreign key.
    await account.delete()
    now = clock.now()
    last_mail = messages.account_deleted(account.email, origin=caller.origin, at=now)
    # To the address only: there is nobody any more whose mail it could be.
    await caller.mail(last_mail, address=account.email_canonical, account_id=None)
    return Deletion(account.email, removed, now)


async def _tell_owners(caller: Caller, account: Account, fleets: Sequence[Fleet]) -> None:
    """Write into the owners' logs that a member has left."""
    # Fewer than there are fleets, where an owner has removed the member while this waited for the fleet's lock.
    members = await Membership.filter(account_id=account.id, fleet_id__in=[fleet.id for fleet in fleets])
    left = {fleet.id: fleet for fleet in fleets}
    await SecurityEvent.record_many(
        SecurityEventKind.FLEET_MEMBER_REMOVED,
        unnamed(caller).origin,
        [(left[member.fleet_id].owner_id, _fact_of_leaving(left[member.fleet_id], member)) for member in members],
    )


def _fact_of_leaving(fleet: Fleet, member: Membership) -> dict[str, str]:
    return facts(fleet, memberId=ids.to_global("member", member.id), reason="account_deleted")


async def _remove_fleets(own: Sequence[Fleet]) -> None:
    for fleet in own:
        # A statement each: a million devices in one would run into the time that a statement may take.
        await Device.filter(fleet_id=fleet.id).delete()
    await Fleet.filter(id__in=[fleet.id for fleet in own]).delete()


async def _remove_what_no_key_refers_to(caller: Caller, account: Account) -> None:
    """What knows the account by its address or by a digest only.

    SECURITY: whoever signs up with the address later inherits nothing (ASVS 10.3.3).
    """
    await FleetInvitation.filter(email_canonical=account.email_canonical).delete()
    await PasswordReset.filter(email_canonical=account.email_canonical).delete()
    await PendingSignUp.filter(email_canonical=account.email_canonical).delete()
    await OutgoingMail.drop(account.id, address=account.email_canonical, keyring=caller.services.keyring)
