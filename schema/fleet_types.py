"""Fleets and what is in them, as members see them."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import strawberry

import models
from kit import ids
from kit.errors import ChangedMeanwhile
from models.pages import check_page
from resolvers.permissions import FleetAction, is_allowed
from schema.connections import DEFAULT_PAGE, After, Connection, First, Node, connection_of, empty_connection
from schema.context import Info
from schema.loaders import DEVICES, INVITATIONS, MEMBERS, FleetList
from schema.scalars import EmailAddress

NodeT = TypeVar("NodeT")


@strawberry.enum(description="From most to least: each level may do all that the next one may.")
class FleetRole(Enum):
    OWNER = strawberry.enum_value(
        "OWNER",
        description="Everything: rename and delete the fleet, add, change and remove members, hand the fleet over. "
        "Exactly one a fleet.",
    )
    DEVELOPER = strawberry.enum_value(
        "DEVELOPER", description="All that an operator may, and change the fleet's configuration."
    )
    OPERATOR = strawberry.enum_value(
        "OPERATOR", description="All that an observer may, and add, rename and remove devices."
    )
    OBSERVER = strawberry.enum_value("OBSERVER", description="Reads the fleet, its devices and its members.")


@strawberry.type(description="An address that is asked to join a fleet.")
class FleetInvitation(Node):
    fleet_name: str = strawberry.field(description="What it is an invitation to.")
    email: EmailAddress = strawberry.field(description="The address that may accept it.")
    role: FleetRole = strawberry.field(description="What whoever accepts becomes.")
    invited_by: EmailAddress = strawberry.field(description="The fleet's owner, who invites.")
    sent_at: datetime = strawberry.field(description="When it was mailed last.")
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")

    @classmethod
    def from_row(cls, row: models.FleetInvitation) -> "FleetInvitation":
        """What clients see of a row whose fleet and owner are fetched."""
        return cls(
            id=strawberry.ID(ids.to_global("invitation", row.id)),
            fleet_name=row.fleet.name,
            email=EmailAddress(row.email),
            role=FleetRole(row.role),
            invited_by=EmailAddress(row.fleet.owner.email),
            sent_at=row.sent_at,
            expires_at=row.expires_at,
        )


@strawberry.type(description="A person in a fleet.")
class FleetMember(Node):
    account_id: strawberry.ID = strawberry.field(description="The member's account.")
    email: EmailAddress = strawberry.field(description="The account's address.")
    role: FleetRole = strawberry.field(description="What the member may do.")
    joined_at: datetime = strawberry.field(description="When the account became a member.")
    fleet_row: strawberry.Private[models.Fleet]

    @classmethod
    def from_row(cls, row: models.Membership) -> "FleetMember":
        """What members see of a row that was read together with its account and its fleet.

        Together, since the role is what the fleet's owner makes of it: read apart, a hand-over in between would show
        two owners, or none.
        """
        return cls(
            id=strawberry.ID(ids.to_global("member", row.id)),
            account_id=strawberry.ID(ids.to_global("account", row.account_id)),
            email=EmailAddress(row.account.email),
            role=FleetRole(row.role_in(row.fleet).value),
            joined_at=row.created_at,
            fleet_row=row.fleet,
        )

    @strawberry.field(description="The fleet.")
    async def fleet(self) -> "Fleet":
        return Fleet.from_row(self.fleet_row)


@strawberry.type(description="A fleet that its owner offers to another member.")
class OwnershipOffer(Node):
    to: FleetMember = strawberry.field(description="Who may accept it.")
    offered_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")

    @classmethod
    def from_row(cls, row: models.OwnershipOffer) -> "OwnershipOffer":
        """What the two people see of a row that was read together with its member."""
        return cls(
            id=strawberry.ID(ids.to_global("offer", row.id)),
            to=FleetMember.from_row(row.member),
            offered_at=row.created_at,
            expires_at=row.expires_at,
        )


@strawberry.type(description="A device of a fleet.")
class Device(Node):
    uuid: str = strawberry.field(description="32 hexadecimal digits: the device's own, in every fleet.")
    name: str = strawberry.field(description="What the device is called.")
    created_at: datetime = strawberry.field(description="When the device was added.")
    fleet_row: strawberry.Private[models.Fleet]

    @classmethod
    def from_row(cls, row: models.Device, fleet: models.Fleet) -> "Device":
        """What members see of it."""
        return cls(
            id=strawberry.ID(ids.to_global("device", row.id)),
            uuid=row.uuid,
            name=row.name,
            created_at=row.created_at,
            fleet_row=fleet,
        )

    @strawberry.field(description="The fleet that the device is in.")
    async def fleet(self) -> "Fleet":
        return Fleet.from_row(self.fleet_row)


@strawberry.type(description="A fleet of devices, shared by its members.")
class Fleet(Node):
    name: str = strawberry.field(description="What the fleet is called.")
    created_at: datetime = strawberry.field(description="When the fleet was made.")
    row: strawberry.Private[models.Fleet]

    @classmethod
    def from_row(cls, row: models.Fleet) -> "Fleet":
        """What a member sees of it. SECURITY: that the caller is one is for whoever calls this to know."""
        return cls(id=strawberry.ID(ids.to_global("fleet", row.id)), name=row.name, created_at=row.created_at, row=row)

    @strawberry.field(description="Whose fleet it is.")
    async def owner(self, info: Info) -> FleetMember:
        return FleetMember.from_row(_present(await info.context.loaders.owner(self.row.id)))

    @strawberry.field(description="What the caller is in this fleet.")
    async def viewer_role(self, info: Info) -> FleetRole:
        return FleetRole((await self._viewer_role(info)).value)

    @strawberry.field(description="Everybody in the fleet, its owner too, oldest first.")
    async def members(self, info: Info, first: First = DEFAULT_PAGE, after: After = None) -> Connection[FleetMember]:
        return await self._list(info, MEMBERS, first, after, FleetMember.from_row)

    @strawberry.field(description="Open invitations, oldest first. Others than the owner see none.")
    async def invitations(
        self, info: Info, first: First = DEFAULT_PAGE, after: After = None
    ) -> Connection[FleetInvitation]:
        # SECURITY: who was invited is for those to know who may invite.
        if not is_allowed(await self._viewer_role(info), FleetAction.READ_INVITATIONS):
            check_page(_size(first), after)
            return empty_connection(after)
        return await self._list(info, INVITATIONS, first, after, FleetInvitation.from_row)

    @strawberry.field(description="The fleet's devices, oldest first.")
    async def devices(self, info: Info, first: First = DEFAULT_PAGE, after: After = None) -> Connection[Device]:
        return await self._list(info, DEVICES, first, after, lambda row: Device.from_row(row, self.row))

    @strawberry.field(
        description="The open offer of ownership, if any. Only the owner and the member whom it is made to see it."
    )
    async def ownership_offer(self, info: Info) -> OwnershipOffer | None:
        offer = await info.context.loaders.offer(self.row.id)
        viewer = info.context.caller.signed_in().id
        # SECURITY: that somebody else is offered the fleet is nobody's business yet.
        if offer is None or viewer not in {offer.fleet.owner_id, offer.member.account_id}:
            return None
        return OwnershipOffer.from_row(offer)

    async def _viewer_role(self, info: Info) -> models.FleetRole:
        own = _present(await info.context.loaders.member(self.row.id, info.context.caller.signed_in().id))
        return own.role_in(own.fleet)

    async def _list(
        self, info: Info, of: FleetList, first: int | None, after: str | None, present: Callable[[Any], NodeT]
    ) -> Connection[NodeT]:
        loaders, fleet_id = info.context.loaders, self.row.id
        page = await loaders.page(of, fleet_id, first=_size(first), after=after)
        return connection_of(page, present, count=lambda: loaders.length(of, fleet_id))


def _present(member: models.Membership | None) -> models.Membership:
    """Raises ChangedMeanwhile when the fleet, or the caller's place in it, went while the answer was being read."""
    if member is None:
        raise ChangedMeanwhile("A fleet that is being changed")
    return member


def _size(first: int | None) -> int:
    return DEFAULT_PAGE if first is None else first
