"""Telling people what somebody else did in their fleet: in their security log, and by mail."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from kit import clock, ids
from mails import messages
from models import Account, Fleet, Membership, Message, SecurityEvent, SecurityEventKind
from resolvers.callers import Caller


def facts(fleet: Fleet, **more: str) -> dict[str, str]:
    """What an event says of a fleet, in the ids that clients ask with.

    SECURITY: no account's id and no address, for an event stays in one person's log when the other's account is gone.
    """
    return {"fleetId": ids.to_global("fleet", fleet.id), "fleetName": fleet.name, **more}


def unnamed(caller: Caller) -> Caller:
    """The caller as others may see him. SECURITY: nobody reads in his log where somebody else was."""
    return replace(caller, origin=replace(caller.origin, ip_address="", user_agent=""))


async def record_for_both(
    caller: Caller, own: UUID, other: UUID, kind: SecurityEventKind, details: dict[str, str]
) -> None:
    """Write an event into the caller's log and into the log of the person whom it is about."""
    await caller.record(own, kind, **details)
    if other != own:
        await unnamed(caller).record(other, kind, **details)


async def tell_members_that_it_is_gone(caller: Caller, owner: Account, fleets: Sequence[Fleet]) -> None:
    """Tell everybody but the owner, one mail a person, that these fleets will have gone with this unit of work."""
    by_id = {fleet.id: fleet for fleet in fleets}
    members = await Membership.filter(fleet_id__in=list(by_id)).exclude(account_id=owner.id).select_related("account")
    lost: dict[UUID, list[Membership]] = {}
    for member in members:
        lost.setdefault(member.account_id, []).append(member)
    now = clock.now()
    mails: list[tuple[Message, str, UUID | None]] = []
    for memberships in lost.values():
        names = [by_id[member.fleet_id].name for member in memberships]
        person = memberships[0].account
        message = messages.fleet_deleted(person.email, fleet_names=names, at=now)
        mails.append((message, person.email_canonical, person.id))
    await SecurityEvent.record_many(
        SecurityEventKind.FLEET_MEMBER_REMOVED,
        unnamed(caller).origin,
        [(member.account_id, facts(by_id[member.fleet_id], reason="fleet_deleted")) for member in members],
    )
    await caller.mail_many(mails)
