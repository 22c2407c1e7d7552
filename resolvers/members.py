"""Members of a fleet: another role, removal, leaving."""

from uuid import UUID

from kit import clock, ids
from kit.errors import InvalidInput, NotFound, Refused
from mails import messages
from models import Account, Fleet, FleetRole, Membership, SecurityEventKind
from resolvers.callers import Caller
from resolvers.fleet_notices import facts, record_for_both
from resolvers.permissions import FleetAction, lock_fleet


async def lock_member(
    account: Account, member_id: UUID | None, action: FleetAction, *, when_own: FleetAction | None = None
) -> tuple[Membership, Fleet]:
    """A member of a fleet in which that account may do this, with the fleet's row locked.

    `when_own` is what it must be allowed to do instead where the membership is its own. Raises NotFound, Refused.
    """
    found = await Membership.filter(id=member_id).first() if member_id else None
    if found is not None and when_own is not None and found.account_id == account.id:
        action = when_own
    fleet = await lock_fleet(account.id, found.fleet_id if found else None, action)
    member = await Membership.whole().filter(id=member_id, fleet_id=fleet.id).first()
    if member is None:
        raise NotFound
    return member, fleet


async def change_fleet_member_role(caller: Caller, member_id: UUID | None, *, role: FleetRole) -> Membership:
    """Owner only. Raises InvalidInput, NotFound, Refused."""
    caller.signed_in()
    if role is FleetRole.OWNER:
        raise InvalidInput.of("input.role", "must not be OWNER: a fleet is handed over by `offerFleetOwnership`")
    async with caller.changing_account() as account:
        member, fleet = await lock_member(account, member_id, FleetAction.CHANGE_ROLE)
        if member.account_id == fleet.owner_id:
            raise Refused("CONFLICT", "The owner's role changes when the fleet is handed over.")
        former = member.role
        if former != role.value:
            await member.change_role(role)
            await _tell_of_role(caller, fleet, member, former)
    return member


async def _tell_of_role(caller: Caller, fleet: Fleet, member: Membership, former: str) -> None:
    details = facts(fleet, memberId=ids.to_global("member", member.id), oldRole=former, newRole=member.role)
    kind = SecurityEventKind.FLEET_MEMBER_ROLE_CHANGED
    await record_for_both(caller, fleet.owner_id, member.account_id, kind, details)
    mail = messages.fleet_member_role_changed(
        member.account.email, fleet_name=fleet.name, role=member.role.lower(), at=clock.now()
    )
    await caller.mail(mail, address=member.account.email_canonical, account_id=member.account_id)


async def remove_fleet_member(caller: Caller, member_id: UUID | None) -> Fleet:
    """Remove a member (owner only), or leave (the caller's own membership). Raises NotFound, Refused."""
    caller.signed_in()
    async with caller.changing_account() as account:
        member, fleet = await lock_member(account, member_id, FleetAction.REMOVE_MEMBER, when_own=FleetAction.LEAVE)
        left = member.account_id == account.id
        await member.delete()
        details = facts(
            fleet, memberId=ids.to_global("member", member.id), role=member.role, reason="left" if left else "removed"
        )
        other = fleet.owner_id if left else member.account_id
        await record_for_both(caller, account.id, other, SecurityEventKind.FLEET_MEMBER_REMOVED, details)
        if not left:
            mail = messages.fleet_member_removed(member.account.email, fleet_name=fleet.name, at=clock.now())
            await caller.mail(mail, address=member.account.email_canonical, account_id=member.account_id)
    return fleet
