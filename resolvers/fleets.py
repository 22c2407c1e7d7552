"""Fleets: made, renamed, deleted."""

from uuid import UUID

from kit.text import clean_name
from models import Fleet, FleetRole, Membership
from resolvers.callers import Caller
from resolvers.fleet_notices import tell_members_that_it_is_gone
from resolvers.permissions import FleetAction, lock_fleet


async def create_fleet(caller: Caller, *, name: str) -> Fleet:
    """A new fleet, owned by the caller. Raises InvalidInput, LimitReached."""
    caller.signed_in()
    name = clean_name(name, "name")
    async with caller.changing_account() as account:
        fleet = await Fleet.found(account, name=name)
        # What remains of the owner after a hand-over: a developer.
        await Membership.join(fleet, account, FleetRole.DEVELOPER)
    return fleet


async def rename_fleet(caller: Caller, fleet_id: UUID | None, *, name: str) -> Fleet:
    """Owner only. Raises InvalidInput, NotFound, Refused."""
    caller.signed_in()
    name = clean_name(name, "name")
    async with caller.changing_account() as account:
        fleet = await lock_fleet(account.id, fleet_id, FleetAction.RENAME)
        fleet.name = name
        await fleet.save(update_fields=["name"])
    return fleet


async def delete_fleet(caller: Caller, fleet_id: UUID | None) -> None:
    """Remove a fleet with all that is in it, and tell its members. Owner only, needs a fresh sign-in.

    Raises NotFound, StepUpRequired, Refused.
    """
    caller.freshly_signed_in()
    async with caller.changing_account() as account:
        fleet = await lock_fleet(account.id, fleet_id, FleetAction.DELETE)
        await tell_members_that_it_is_gone(caller, account, [fleet])
        await fleet.delete()
