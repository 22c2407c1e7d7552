"""Devices: added, renamed, removed."""

import re
from collections.abc import Sequence
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Subquery

from kit.errors import InvalidInput, NotFound, Refused
from kit.text import clean_name
from models import Device, Fleet
from models.members import fleets_of
from resolvers.callers import Caller
from resolvers.permissions import FleetAction, lock_fleet

MOST_IDS = 1_000
_UUID = re.compile(r"[0-9a-f]{32}", re.ASCII)


async def add_device(caller: Caller, fleet_id: UUID | None, *, name: str, uuid: str | None) -> tuple[Device, Fleet]:
    """A device with a uuid of its own, made up if there is none.

    Raises InvalidInput, NotFound, LimitReached, Refused(ROLE_TOO_LOW, CONFLICT).
    """
    caller.signed_in()
    name = clean_name(name, "input.name")
    uuid = _clean_uuid(uuid)
    try:
        async with caller.changing_account() as account:
            fleet = await lock_fleet(account.id, fleet_id, FleetAction.ADD_DEVICE)
            return await Device.add(fleet, name=name, uuid=uuid), fleet
    except IntegrityError:
        raise Refused("CONFLICT", "Another device has this uuid.") from None


def _clean_uuid(uuid: str | None) -> str | None:
    if uuid is None:
        return None
    if not _UUID.fullmatch(uuid.lower()):
        raise InvalidInput.of("input.uuid", "must be 32 hexadecimal digits")
    return uuid.lower()


async def rename_device(caller: Caller, device_id: UUID | None, *, name: str) -> tuple[Device, Fleet]:
    """Raises InvalidInput, NotFound, Refused."""
    caller.signed_in()
    name = clean_name(name, "name")
    async with caller.changing_account() as account:
        found = await Device.filter(id=device_id).first() if device_id else None
        fleet = await lock_fleet(account.id, found.fleet_id if found else None, FleetAction.RENAME_DEVICE)
        device = await Device.filter(id=device_id, fleet_id=fleet.id).first()
        if device is None:
            raise NotFound
        device.name = name
        await device.save(update_fields=["name"])
    return device, fleet


async def remove_devices(caller: Caller, device_ids: Sequence[UUID | None]) -> Fleet:
    """Remove devices of one fleet: all of them, or none. Raises InvalidInput, NotFound, Refused."""
    caller.signed_in()
    if not 1 <= len(device_ids) <= MOST_IDS:
        raise InvalidInput.of("ids", f"must be from 1 to {MOST_IDS:,} ids")
    known = {device_id for device_id in device_ids if device_id is not None}
    if len(known) != len(device_ids) - list(device_ids).count(None):
        raise InvalidInput.of("ids", "must name each device once")
    if len(known) != len(device_ids):
        raise NotFound
    async with caller.changing_account() as account:
        # SECURITY: a device of a stranger's fleet is none at all, before anybody's role is looked at (ASVS 8.2.2).
        seen = Device.filter(id__in=list(known), fleet_id__in=Subquery(fleets_of(account.id).values("id")))
        devices = await seen.only("id", "fleet_id")
        if len(devices) != len(known):
            raise NotFound
        if len({device.fleet_id for device in devices}) > 1:
            raise InvalidInput.of("ids", "must all be of one fleet")
        fleet = await lock_fleet(account.id, devices[0].fleet_id, FleetAction.REMOVE_DEVICES)
        await Device.remove(fleet, known)
    return fleet
