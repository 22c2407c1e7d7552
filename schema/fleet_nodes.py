"""Looking up fleets, and what is in them, by their global ids."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import models
from kit import ids
from resolvers.permissions import FleetAction, find_fleet
from schema.connections import Node
from schema.fleet_types import Device, Fleet, FleetInvitation, FleetMember, OwnershipOffer

# SECURITY: each look-up asks for the caller's role in the fleet; foreign, unknown and malformed ids are all null.


async def find_fleet_node(account_id: UUID, global_id: str) -> Node | None:
    """A fleet, member, device, invitation or offer that this account may see."""
    for kind, find in _KINDS.items():
        if row_id := ids.from_global(kind, global_id):
            return await find(account_id, row_id)
    return None


async def _fleet(account_id: UUID, row_id: UUID) -> Fleet | None:
    row = await find_fleet(account_id, row_id, FleetAction.READ)
    return Fleet.from_row(row) if row else None


async def _member(account_id: UUID, row_id: UUID) -> FleetMember | None:
    row = await models.Membership.whole().filter(id=row_id).first()
    fleet = await find_fleet(account_id, row.fleet_id, FleetAction.READ) if row else None
    return FleetMember.from_row(row) if row and fleet else None


async def _device(account_id: UUID, row_id: UUID) -> Device | None:
    row = await models.Device.filter(id=row_id).first()
    fleet = await find_fleet(account_id, row.fleet_id, FleetAction.READ) if row else None
    return Device.from_row(row, fleet) if row and fleet else None


async def _invitation(account_id: UUID, row_id: UUID) -> FleetInvitation | None:
    own = await models.FleetInvitation.open_for(account_id).filter(id=row_id).first()
    row = own or await models.FleetInvitation.open().filter(id=row_id).first()
    if row is None or (own is None and not await find_fleet(account_id, row.fleet_id, FleetAction.READ_INVITATIONS)):
        return None
    return FleetInvitation.from_row(row)


async def _offer(account_id: UUID, row_id: UUID) -> OwnershipOffer | None:
    row = await models.OwnershipOffer.open().filter(id=row_id).first()
    if row is None or account_id not in {row.fleet.owner_id, row.member.account_id}:
        return None
    return OwnershipOffer.from_row(row)


_KINDS: dict[str, Callable[[UUID, UUID], Awaitable[Node | None]]] = {
    "fleet": _fleet,
    "member": _member,
    "device": _device,
    "invitation": _invitation,
    "offer": _offer,
}
