"""Who is in a fleet, who is asked to join, and to whom it is offered."""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Subquery
from tortoise.queryset import QuerySet

from kit import clock, tokens
from kit.errors import LimitReached, Refused
from kit.text import Email
from models.accounts import Account
from models.base import Row
from models.fleets import Fleet

MAX_MEMBERS = 100
"""People in one fleet, and open invitations to it, which keep a place free each."""

INVITATION_LIFETIME = timedelta(days=7)
OFFER_LIFETIME = timedelta(days=7)


class FleetRole(StrEnum):
    """From most to least: each may do all that the next one may."""

    OWNER = "OWNER"
    DEVELOPER = "DEVELOPER"
    OPERATOR = "OPERATOR"
    OBSERVER = "OBSERVER"


class Membership(Row):
    """An account in a fleet. Of the owner's row the role does not count: it is what remains after a hand-over."""

    fleet: fields.ForeignKeyRelation[Fleet] = fields.ForeignKeyField("models.Fleet", related_name=False)
    fleet_id: UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", related_name=False)
    account_id: UUID
    role = fields.CharField(max_length=16)

    class Meta:
        table = "memberships"
        unique_together = (("fleet_id", "account_id"),)
        indexes = (("account_id", "fleet_id"), ("fleet_id", "id"))

    @classmethod
    async def join(cls, fleet: Fleet, account: Account, role: FleetRole) -> "Membership":
        """A new member. The fleet's row must be locked. Raises Refused(ALREADY_A_MEMBER)."""
        if await cls.filter(fleet_id=fleet.id, account_id=account.id).exists():
            raise Refused("ALREADY_A_MEMBER", "This account is a member of the fleet already.")
        return await cls.create(fleet_id=fleet.id, account_id=account.id, role=role.value)

    @classmethod
    async def find(cls, fleet_id: UUID, account_id: UUID) -> "Membership | None":
        """The membership of an account in a fleet."""
        return await cls.filter(fleet_id=fleet_id, account_id=account_id).first()

    @classmethod
    def whole(cls) -> QuerySet["Membership"]:
        """All, each read together with its account and its fleet."""
        return cls.all().select_related("account", "fleet")

    def role_in(self, fleet: Fleet) -> FleetRole:
        """What this member is in its fleet."""
        return FleetRole.OWNER if self.account_id == fleet.owner_id else FleetRole(self.role)

    async def change_role(self, role: FleetRole) -> None:
        """Write the new role. It counts from the next request on."""
        self.role = role.value
        await self.save(update_fields=["role"])


def fleets_of(account_id: UUID) -> QuerySet[Fleet]:
    """The fleets that an account owns or is a member of."""
    own = Membership.filter(account_id=account_id).values("fleet_id")
    return Fleet.filter(id__in=Subquery(own))


class FleetInvitation(Row):
    """An address that is asked to join. One row an address and fleet: inviting again replaces the token."""

    fleet: fields.ForeignKeyRelation[Fleet] = fields.ForeignKeyField("models.Fleet", related_name=False)
    fleet_id: UUID
    token_digest = fields.CharField(max_length=64, unique=True)
    email = fields.CharField(max_length=254)
    email_canonical = fields.CharField(max_length=254, db_index=True)
    role = fields.CharField(max_length=16)
    sent_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "fleet_invitations"
        unique_together = (("fleet_id", "email_canonical"),)
        indexes = (("fleet_id", "id"),)

    @classmethod
    async def send(cls, fleet: Fleet, email: Email, role: FleetRole) -> tuple["FleetInvitation", str]:
        """An open invitation, and the raw token for the mail. The fleet's row must be locked. Raises LimitReached."""
        await cls._check_place(fleet, email)
        raw_token = tokens.mint("invitation")
        now = clock.now()
        content: dict[str, Any] = {
            "token_digest": tokens.digest(raw_token),
            "email": email.typed,
            "role": role.value,
            "sent_at": now,
            "expires_at": now + INVITATION_LIFETIME,
        }
        if not await cls.filter(fleet_id=fleet.id, email_canonical=email.canonical).update(**content):
            await cls.create(fleet_id=fleet.id, email_canonical=email.canonical, **content)
        return await cls.get(fleet_id=fleet.id, email_canonical=email.canonical), raw_token

    @classmethod
    async def _check_place(cls, fleet: Fleet, email: Email) -> None:
        others = cls.filter(fleet_id=fleet.id, expires_at__gt=clock.now()).exclude(email_canonical=email.canonical)
        if await Membership.filter(fleet_id=fleet.id).count() + await others.count() >= MAX_MEMBERS:
            raise LimitReached(MAX_MEMBERS, "members and open invitations in one fleet")

    @classmethod
    def open(cls) -> QuerySet["FleetInvitation"]:
        """Those that have not expired, with their fleet and its owner, who invites."""
        return cls.filter(expires_at__gt=clock.now()).select_related("fleet__owner")

    @classmethod
    def open_for(cls, account_id: UUID) -> QuerySet["FleetInvitation"]:
        """The open invitations to the present address of an account."""
        address = Account.filter(id=account_id).values("email_canonical")
        return cls.open().filter(email_canonical__in=Subquery(address))

    @classmethod
    async def find_open(cls, raw_token: str) -> "FleetInvitation | None":
        """The invitation of a mailed token, unless it has expired, was used or was replaced."""
        return await cls.open().filter(token_digest=tokens.digest(raw_token)).first()

    async def consume(self) -> bool:
        """Use the invitation up. False when another request was first, or it was sent anew."""
        live = FleetInvitation.filter(id=self.id, token_digest=self.token_digest, expires_at__gt=clock.now())
        return await live.delete() == 1

    @classmethod
    async def purge(cls) -> int:
        """Remove what has expired."""
        return await cls.filter(expires_at__lte=clock.now()).delete()


class OwnershipOffer(Row):
    """A fleet that its owner offers to another member. There is at most one for a fleet."""

    fleet: fields.OneToOneRelation[Fleet] = fields.OneToOneField("models.Fleet", related_name=False)
    fleet_id: UUID
    member: fields.ForeignKeyRelation[Membership] = fields.ForeignKeyField(
        "models.Membership", related_name=False, db_index=True
    )
    member_id: UUID
    expires_at = fields.DatetimeField()

    class Meta:
        table = "ownership_offers"

    @classmethod
    async def make(cls, fleet: Fleet, member: Membership) -> "OwnershipOffer":
        """The fleet's open offer from now on, instead of any former one. The fleet's row must be locked."""
        await cls.filter(fleet_id=fleet.id).delete()
        return await cls.create(fleet_id=fleet.id, member_id=member.id, expires_at=clock.now() + OFFER_LIFETIME)

    @classmethod
    def open(cls) -> QuerySet["OwnershipOffer"]:
        """Those that have not expired, with their fleet and the member whom they are made to."""
        return cls.filter(expires_at__gt=clock.now()).select_related("fleet", "member__account", "member__fleet")

    async def close(self) -> bool:
        """Accept or withdraw it. False when another request was first."""
        return await OwnershipOffer.filter(id=self.id, expires_at__gt=clock.now()).delete() == 1

    @classmethod
    async def purge(cls) -> int:
        """Remove what has expired."""
        return await cls.filter(expires_at__lte=clock.now()).delete()
