"""Fleets and their devices. Who is in a fleet stands in models/members.py."""

import secrets
from collections.abc import Collection
from uuid import UUID

from tortoise import fields
from tortoise.fields import OnDelete

from kit.errors import LimitReached, NotFound
from models.accounts import Account
from models.base import Row

MAX_FLEETS = 100
"""Fleets that one account may own."""

MAX_DEVICES = 10_000
"""Devices a fleet."""


class Fleet(Row):
    """A fleet. Its owner is a column that is never empty: one owner at every moment, kept by the database itself.

    That the owner is a member too, and stays one, is kept by the triggers of migration 0003_one_owner.
    """

    owner: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name=False, on_delete=OnDelete.RESTRICT
    )
    owner_id: UUID
    name = fields.CharField(max_length=120)

    class Meta:
        table = "fleets"
        indexes = (("owner_id", "id"),)

    @classmethod
    async def found(cls, account: Account, *, name: str) -> "Fleet":
        """A new fleet of that account, whose row must be locked. Its membership is the next thing to write.

        Raises LimitReached.
        """
        if await cls.filter(owner_id=account.id).count() >= MAX_FLEETS:
            raise LimitReached(MAX_FLEETS, "fleets of one account")
        return await cls.create(owner_id=account.id, name=name)

    @classmethod
    async def lock(cls, fleet_id: UUID) -> "Fleet | None":
        """The row, held against other writers until the unit of work ends; None when the fleet is gone.

        An account's own row is locked before any fleet's, and several fleets are locked in the order of their ids.
        """
        return await cls.filter(id=fleet_id).select_for_update(no_key=True).first()

    async def hand_over(self, to: Account) -> None:
        """Swap the owner in one statement. The row must be locked."""
        await Fleet.filter(id=self.id).update(owner_id=to.id)
        self.owner_id = to.id


class Device(Row):
    """A device of a fleet. Its uuid is its own everywhere, and never another's."""

    fleet: fields.ForeignKeyRelation[Fleet] = fields.ForeignKeyField("models.Fleet", related_name=False)
    fleet_id: UUID
    uuid = fields.CharField(max_length=32, unique=True)
    name = fields.CharField(max_length=120)

    class Meta:
        table = "devices"
        indexes = (("fleet_id", "id"),)

    @classmethod
    async def add(cls, fleet: Fleet, *, name: str, uuid: str | None) -> "Device":
        """A new device of a fleet, whose row must be locked.

        Raises LimitReached, and tortoise's IntegrityError when the uuid is another device's.
        """
        if await cls.filter(fleet_id=fleet.id).count() >= MAX_DEVICES:
            raise LimitReached(MAX_DEVICES, "devices in one fleet")
        return await cls.create(fleet_id=fleet.id, name=name, uuid=uuid or secrets.token_hex(16))

    @classmethod
    async def remove(cls, fleet: Fleet, device_ids: Collection[UUID]) -> None:
        """Remove devices of that fleet: all of them, or (in a unit of work) none and NotFound."""
        if await cls.filter(fleet_id=fleet.id, id__in=list(device_ids)).delete() != len(device_ids):
            raise NotFound
