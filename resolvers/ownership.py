"""Handing a fleet over: the owner offers, the other member accepts."""

from uuid import UUID

from kit import clock
from kit.errors import NotFound, Refused
from mails import messages
from models import Account, Fleet, FleetRole, Membership, OwnershipOffer, SecurityEventKind
from models.fleets import MAX_FLEETS
from resolvers.callers import Caller
from resolvers.fleet_notices import facts, unnamed
from resolvers.members import lock_member
from resolvers.permissions import FleetAction, lock_fleet


async def offer_fleet_ownership(caller: Caller, member_id: UUID | None) -> OwnershipOffer:
    """Offer the fleet to another member, instead of any offer that is open. Owner only, needs a fresh sign-in.

    Raises NotFound, StepUpRequired, Refused.
    """
    caller.freshly_signed_in()
    async with caller.changing_account() as account:
        member, fleet = await lock_member(account, member_id, FleetAction.OFFER_OWNERSHIP)
        if member.account_id == fleet.owner_id:
            raise Refused("CONFLICT", "You own this fleet already.")
        offer = await OwnershipOffer.make(fleet, member)
        offer.member = member
        mail = messages.fleet_ownership_offered(
            member.account.email, fleet_name=fleet.name, owner=account.email, expires_at=offer.expires_at
        )
        await caller.mail(mail, address=member.account.email_canonical, account_id=member.account_id)
    return offer


async def withdraw_ownership_offer(caller: Caller, offer_id: UUID | None) -> None:
    """Owner only. Raises NotFound, Refused."""
    caller.signed_in()
    async with caller.changing_account() as account:
        offer = await OwnershipOffer.open().filter(id=offer_id).first() if offer_id else None
        await lock_fleet(account.id, offer.fleet_id if offer else None, FleetAction.WITHDRAW_OFFER)
        if offer is None or not await offer.close():
            raise NotFound


async def accept_fleet_ownership(caller: Caller, offer_id: UUID | None) -> Fleet:
    """Take over a fleet that is offered to the caller. Needs a fresh sign-in.

    Raises NotFound, StepUpRequired, Refused(WRONG_ACCOUNT, CONFLICT).
    """
    caller.freshly_signed_in()
    async with caller.changing_account() as account:
        offer = await OwnershipOffer.open().filter(id=offer_id).first() if offer_id else None
        fleet = await lock_fleet(account.id, offer.fleet_id if offer else None, FleetAction.READ)
        if offer is None:
            raise NotFound
        _check_is_for(offer, account, fleet)
        if not await offer.close():
            raise NotFound
        if await Fleet.filter(owner_id=account.id).count() >= MAX_FLEETS:
            raise Refused("CONFLICT", f"You own {MAX_FLEETS} fleets, which is as many as one account may own.")
        former = await Account.get(id=fleet.owner_id)
        await _swap(fleet, former, account)
        await _tell_of_hand_over(caller, fleet, former, account)
    return fleet


def _check_is_for(offer: OwnershipOffer, account: Account, fleet: Fleet) -> None:
    if offer.member.account_id == account.id:
        return
    # SECURITY: of the members, only the owner sees that there is an offer to somebody else.
    if fleet.owner_id == account.id:
        raise Refused("WRONG_ACCOUNT", "This offer is made to another member.")
    raise NotFound


async def _swap(fleet: Fleet, former: Account, account: Account) -> None:
    await fleet.hand_over(account)
    # What the former owner is from now on, and what remains of the new one after the next hand-over.
    both = Membership.filter(fleet_id=fleet.id, account_id__in=[former.id, account.id])
    await both.update(role=FleetRole.DEVELOPER.value)


async def _tell_of_hand_over(caller: Caller, fleet: Fleet, former: Account, account: Account) -> None:
    kind, owner, developer = SecurityEventKind.FLEET_TRANSFERRED, FleetRole.OWNER.value, FleetRole.DEVELOPER.value
    await caller.record(account.id, kind, **facts(fleet, newRole=owner))
    await unnamed(caller).record(former.id, kind, **facts(fleet, oldRole=owner, newRole=developer))
    mail = messages.fleet_transferred(former.email, fleet_name=fleet.name, owner=account.email, at=clock.now())
    await caller.mail(mail, address=former.email_canonical, account_id=former.id)
