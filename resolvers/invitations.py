"""Inviting an address to a fleet, and what whoever holds the mailed token may do with it."""

from uuid import UUID

from kit import clock, ids
from kit.addresses import client_network
from kit.errors import InvalidInput, InvalidToken, NotFound, Refused
from kit.text import clean_email
from kit.throttle import INVITATION_FLEET
from mails import messages
from models import Account, Fleet, FleetInvitation, FleetRole, Membership, SecurityEventKind
from models.base import unit_of_work
from resolvers.callers import Caller
from resolvers.fleet_notices import facts, record_for_both
from resolvers.permissions import FleetAction, lock_fleet, peek_at_fleet


async def invite_fleet_member(
    caller: Caller, fleet_id: UUID | None, *, email: str, role: FleetRole
) -> tuple[FleetInvitation, Fleet]:
    """Mail an invitation, or mail it anew with a new token. Owner only.

    SECURITY: an address with an account and one without take the same statements and get the same answer, but for
    accounts that are members, whom the owner sees anyway (ASVS 6.3.8).

    Raises InvalidInput, NotFound, LimitReached, TooManyAttempts, Refused.
    """
    caller.signed_in()
    address = clean_email(email, "input.email")
    if role is FleetRole.OWNER:
        raise InvalidInput.of("input.role", "must not be OWNER: a fleet is handed over by `offerFleetOwnership`")
    await _count_invitation(caller, fleet_id)
    async with caller.changing_account() as account:
        fleet = await lock_fleet(account.id, fleet_id, FleetAction.INVITE)
        if await Membership.filter(fleet_id=fleet.id, account__email_canonical=address.canonical).exists():
            raise Refused("ALREADY_A_MEMBER", "This address belongs to a member of the fleet.")
        invited = await Account.find_by_email(address)
        invitation, raw_token = await FleetInvitation.send(fleet, address, role)
        details = facts(fleet, invitationId=ids.to_global("invitation", invitation.id), role=role.value)
        await caller.record(account.id, SecurityEventKind.FLEET_INVITATION_SENT, **details)
        mail = messages.fleet_invitation(
            # SECURITY: to the stored address, where there is one, not to the typed one (CVE-2019-19844).
            invited.email if invited else address.typed,
            fleet_name=fleet.name,
            invited_by=account.email,
            role=role.value.lower(),
            link=_link(caller, raw_token),
        )
        await caller.mail(mail, address=address.canonical, account_id=None)
        await fleet.fetch_related("owner")
    return invitation, fleet


async def _count_invitation(caller: Caller, fleet_id: UUID | None) -> None:
    """Raises NotFound, Refused, TooManyAttempts. Only the owner's invitations are counted."""
    await peek_at_fleet(caller.signed_in().id, fleet_id, FleetAction.INVITE)
    client = client_network(caller.origin.ip_address)
    await caller.services.throttle.take([(INVITATION_FLEET, str(fleet_id))], client=client)


def _link(caller: Caller, raw_token: str) -> str:
    settings = caller.services.settings
    return f"{settings.public_url}{settings.invitation_path}".replace("{token}", raw_token)


async def accept_fleet_invitation(caller: Caller, raw_token: str) -> Membership:
    """Join with the mailed token. Raises InvalidToken, Refused(WRONG_ACCOUNT, ALREADY_A_MEMBER)."""
    caller.signed_in()
    async with caller.changing_account() as account:
        invitation = await FleetInvitation.find_open(raw_token)
        if invitation is None:
            raise InvalidToken
        # SECURITY: a forwarded mail lets nobody in but the person whom it was sent to (ASVS 2.4.1).
        if invitation.email_canonical != account.email_canonical:
            raise Refused("WRONG_ACCOUNT", "This invitation was sent to another address.")
        fleet = await Fleet.lock(invitation.fleet_id)
        if fleet is None or not await invitation.consume():
            raise InvalidToken
        member = await Membership.join(fleet, account, FleetRole(invitation.role))
        await _tell_of_joining(caller, account, fleet, member)
    member.account, member.fleet = account, fleet
    return member


async def _tell_of_joining(caller: Caller, account: Account, fleet: Fleet, member: Membership) -> None:
    details = facts(fleet, memberId=ids.to_global("member", member.id), role=member.role)
    kind = SecurityEventKind.FLEET_INVITATION_ACCEPTED
    await record_for_both(caller, account.id, fleet.owner_id, kind, details)
    owner = await Account.get(id=fleet.owner_id)
    mail = messages.fleet_member_joined(
        owner.email, fleet_name=fleet.name, member=account.email, role=member.role.lower(), at=clock.now()
    )
    await caller.mail(mail, address=owner.email_canonical, account_id=owner.id)


async def decline_fleet_invitation(raw_token: str) -> FleetInvitation:
    """Close an invitation. The mailed token is all it takes, since not everybody invited has an account.

    Raises InvalidToken.
    """
    async with unit_of_work():
        invitation = await FleetInvitation.find_open(raw_token)
        if invitation is None or not await invitation.consume():
            raise InvalidToken
    return invitation


async def withdraw_fleet_invitation(caller: Caller, invitation_id: UUID | None) -> None:
    """Close an invitation. Owner only. Raises NotFound, Refused."""
    caller.signed_in()
    async with caller.changing_account() as account:
        found = await FleetInvitation.open().filter(id=invitation_id).first() if invitation_id else None
        fleet = await lock_fleet(account.id, found.fleet_id if found else None, FleetAction.WITHDRAW_INVITATION)
        if not await FleetInvitation.filter(id=invitation_id, fleet_id=fleet.id).delete():
            raise NotFound


async def find_invitation(raw_token: str) -> FleetInvitation | None:
    """What an invitation link offers, to whoever holds it."""
    return await FleetInvitation.find_open(raw_token)
