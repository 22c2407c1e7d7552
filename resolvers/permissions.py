"""Who may do what in a fleet: one table, from which docs/fleet-roles.md and the tests' matrix are made."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from kit.errors import NotFound, Refused
from models import Fleet, FleetRole, Membership


class FleetAction(StrEnum):
    """What a member may want to do, in words that fit behind "may"."""

    READ = "read the fleet, its devices, members and roles"
    LEAVE = "leave the fleet"
    ADD_DEVICE = "add a device"
    RENAME_DEVICE = "rename a device"
    REMOVE_DEVICES = "remove devices"
    RENAME = "rename the fleet"
    DELETE = "delete the fleet"
    READ_INVITATIONS = "read its open invitations"
    INVITE = "invite a member"
    WITHDRAW_INVITATION = "withdraw an invitation"
    CHANGE_ROLE = "change a member's role"
    REMOVE_MEMBER = "remove another member"
    OFFER_OWNERSHIP = "offer the fleet to another member"
    WITHDRAW_OFFER = "withdraw that offer"


_OWNER = frozenset({FleetRole.OWNER})
_DEVELOPER = _OWNER | {FleetRole.DEVELOPER}
_OPERATOR = _DEVELOPER | {FleetRole.OPERATOR}
_EVERYBODY = _OPERATOR | {FleetRole.OBSERVER}

ALLOWED: Mapping[FleetAction, frozenset[FleetRole]] = {
    FleetAction.READ: _EVERYBODY,
    # A fleet has an owner at every moment: who owns it hands it over or deletes it.
    FleetAction.LEAVE: _EVERYBODY - _OWNER,
    FleetAction.ADD_DEVICE: _OPERATOR,
    FleetAction.RENAME_DEVICE: _OPERATOR,
    FleetAction.REMOVE_DEVICES: _OPERATOR,
    FleetAction.RENAME: _OWNER,
    FleetAction.DELETE: _OWNER,
    FleetAction.READ_INVITATIONS: _OWNER,
    FleetAction.INVITE: _OWNER,
    FleetAction.WITHDRAW_INVITATION: _OWNER,
    FleetAction.CHANGE_ROLE: _OWNER,
    FleetAction.REMOVE_MEMBER: _OWNER,
    FleetAction.OFFER_OWNERSHIP: _OWNER,
    FleetAction.WITHDRAW_OFFER: _OWNER,
}
"""The one table. Nothing else in the code asks for a role."""


def is_allowed(role: FleetRole, action: FleetAction) -> bool:
    """Whether a member of that role may."""
    return role in ALLOWED[action]


def check_role(role: FleetRole, action: FleetAction) -> None:
    """Raises Refused: ROLE_TOO_LOW, or CONFLICT where it is the owner who may not."""
    if is_allowed(role, action):
        return
    if role is FleetRole.OWNER:
        raise Refused("CONFLICT", "You own this fleet: hand it over or delete it.")
    raise Refused("ROLE_TOO_LOW", f"Your role in this fleet doesn't allow you to {action}.")


async def find_fleet(account_id: UUID, fleet_id: UUID | None, action: FleetAction) -> Fleet | None:
    """The fleet, where that account may do this in it; None where it may not, whatever the reason."""
    try:
        return await check_fleet(account_id, await _found(fleet_id), action)
    except (NotFound, Refused):
        return None


async def peek_at_fleet(account_id: UUID, fleet_id: UUID | None, action: FleetAction) -> None:
    """Look, without a lock, whether that account may: what is counted first must not be counted for a stranger.

    Raises NotFound, Refused(ROLE_TOO_LOW).
    """
    await check_fleet(account_id, await _found(fleet_id), action)


async def lock_fleet(account_id: UUID, fleet_id: UUID | None, action: FleetAction) -> Fleet:
    """The fleet with its row locked, for a change that the account, whose own row is locked, may make.

    Raises NotFound, Refused(ROLE_TOO_LOW).
    """
    return await check_fleet(account_id, await Fleet.lock(fleet_id) if fleet_id else None, action)


async def check_fleet(account_id: UUID, fleet: Fleet | None, action: FleetAction) -> Fleet:
    """The fleet, if that account may do this in it. Raises NotFound, Refused(ROLE_TOO_LOW).

    SECURITY: the role is read from the database each time, so that a change bites on the next request (ASVS 8.3.2).
    A fleet that there isn't and one that the caller is no member of answer the same (ASVS 8.2.2).
    """
    member = await Membership.find(fleet.id, account_id) if fleet else None
    if fleet is None or member is None:
        raise NotFound
    check_role(member.role_in(fleet), action)
    return fleet


async def _found(fleet_id: UUID | None) -> Fleet | None:
    return await Fleet.filter(id=fleet_id).first() if fleet_id else None


def table() -> str:
    """The table as docs/fleet-roles.md has it."""
    lines = [f"| may | {' | '.join(FleetRole)} |", f"| --- |{' :-: |' * len(FleetRole)}"]
    for action, roles in ALLOWED.items():
        marks = ["yes" if role in roles else "" for role in FleetRole]
        lines.append(f"| {action} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"
