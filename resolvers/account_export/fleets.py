"""The account's fleets with all that is in them, others' fleets that it is in, and where it is asked to join."""

from datetime import datetime
from uuid import UUID

from tortoise.expressions import RawSQL

from kit import ids
from models import Account, Device, Fleet, FleetInvitation, FleetRole, Membership, OwnershipOffer
from resolvers.account_export.rows import Facts, each, each_as_values, instant, listed
from resolvers.callers import Caller


async def fleets(account: Account, _: Caller) -> list[Facts]:
    """Of fleets that the account owns all that is in them; of others that it is a member, and if it is offered them."""
    offers = {offer.fleet_id: offer async for offer in each(OwnershipOffer.filter(member__account_id=account.id))}
    memberships = each(Membership.filter(account_id=account.id).select_related("fleet__owner"))
    found = [await _fleet(member, offers.get(member.fleet_id)) async for member in memberships]
    return sorted((fleet for fleet in found if fleet), key=lambda fleet: str(fleet["id"]))


async def _fleet(member: Membership, offer: OwnershipOffer | None) -> Facts | None:
    if member.role_in(member.fleet) is not FleetRole.OWNER:
        return _outside(member, offer)
    # SECURITY: looked at again, since the fleets before it took their time: it may be somebody else's by now.
    own = await Membership.filter(id=member.id).select_related("fleet__owner").first()
    if own is None or own.role_in(own.fleet) is not FleetRole.OWNER:
        return _outside(own, None) if own else None
    open_offer = await OwnershipOffer.filter(fleet_id=own.fleet_id).first()
    return _outside(own, open_offer) | await _inside(own.fleet)


def _outside(own: Membership, offer: OwnershipOffer | None) -> Facts:
    fleet = own.fleet
    return {
        "id": ids.to_global("fleet", fleet.id),
        "name": fleet.name,
        "createdAt": instant(fleet.created_at),
        "owner": {"email": fleet.owner.email},
        "viewerRole": own.role_in(fleet).value,
        "joinedAt": instant(own.created_at),
        "ownershipOffer": _offer(offer) if offer else None,
    }


async def _inside(fleet: Fleet) -> Facts:
    members = Membership.filter(fleet_id=fleet.id).select_related("account")
    invitations = FleetInvitation.filter(fleet_id=fleet.id).select_related("fleet__owner")
    return {
        "members": await listed(members, lambda member: _member(member, fleet)),
        "invitations": await listed(invitations, _invitation),
        "devices": await _devices(fleet),
    }


def _member(member: Membership, fleet: Fleet) -> Facts:
    return {
        "id": ids.to_global("member", member.id),
        "email": member.account.email,
        "role": member.role_in(fleet).value,
        "joinedAt": instant(member.created_at),
    }


def _invitation(invitation: FleetInvitation) -> Facts:
    return {
        "id": ids.to_global("invitation", invitation.id),
        "fleetName": invitation.fleet.name,
        "email": invitation.email,
        "role": invitation.role,
        "invitedBy": invitation.fleet.owner.email,
        "sentAt": instant(invitation.sent_at),
        "expiresAt": instant(invitation.expires_at),
    }


async def _devices(fleet: Fleet) -> list[Facts]:
    # The instant as the database writes it: the ORM takes longer to read it than all the rest of a device takes, and an
    # account may have a million of them.
    devices = Device.filter(fleet_id=fleet.id).annotate(added_at=RawSQL("created_at"))
    return [_device(*values) async for values in each_as_values(devices, "uuid", "name", "added_at")]


def _device(device_id: UUID, uuid: str, name: str, added_at: datetime | str) -> Facts:
    at = datetime.fromisoformat(added_at) if isinstance(added_at, str) else added_at
    return {"id": ids.to_global("device", device_id), "uuid": uuid, "name": name, "createdAt": instant(at)}


def _offer(offer: OwnershipOffer) -> Facts:
    return {
        "id": ids.to_global("offer", offer.id),
        "to": {"id": ids.to_global("member", offer.member_id)},
        "offeredAt": instant(offer.created_at),
        "expiresAt": instant(offer.expires_at),
    }


async def invitations(account: Account, _: Caller) -> list[Facts]:
    """Open invitations to the account's address."""
    return await listed(FleetInvitation.open_for(account.id), _invitation)
