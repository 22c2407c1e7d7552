"""The security log of an account."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from tortoise import fields

from kit import clock, metrics
from kit.origin import Origin
from models.accounts import Account
from models.base import Row, after_commit

log = structlog.get_logger("gatehouse.events")


class SecurityEventKind(StrEnum):
    """What can happen to an account, in the contract's words."""

    SIGNED_UP = "SIGNED_UP"
    SIGNED_IN = "SIGNED_IN"
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    SIGNED_OUT_EVERYWHERE = "SIGNED_OUT_EVERYWHERE"
    PASSWORD_SET = "PASSWORD_SET"  # noqa: S105 - a name
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - a name
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"  # noqa: S105 - a name
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - a name
    EMAIL_CHANGE_REQUESTED = "EMAIL_CHANGE_REQUESTED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    SOCIAL_IDENTITY_LINKED = "SOCIAL_IDENTITY_LINKED"
    SOCIAL_IDENTITY_UNLINKED = "SOCIAL_IDENTITY_UNLINKED"
    API_KEY_CREATED = "API_KEY_CREATED"
    API_KEY_ROTATED = "API_KEY_ROTATED"
    API_KEY_REVOKED = "API_KEY_REVOKED"
    TWO_FACTOR_ENABLED = "TWO_FACTOR_ENABLED"
    TWO_FACTOR_DISABLED = "TWO_FACTOR_DISABLED"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    RECOVERY_CODES_REGENERATED = "RECOVERY_CODES_REGENERATED"
    FLEET_INVITATION_SENT = "FLEET_INVITATION_SENT"
    FLEET_INVITATION_ACCEPTED = "FLEET_INVITATION_ACCEPTED"
    FLEET_MEMBER_ROLE_CHANGED = "FLEET_MEMBER_ROLE_CHANGED"
    FLEET_MEMBER_REMOVED = "FLEET_MEMBER_REMOVED"
    FLEET_TRANSFERRED = "FLEET_TRANSFERRED"
    DATA_EXPORTED = "DATA_EXPORTED"


class NobodysEvent(Row):
    """What was asked for an address without an account. Nobody reads it, and it goes after a day.

    SECURITY: it is kept since the same thing, asked for an account's address, is kept: a row that only one of the two
    wrote would hold up whatever comes next, and tell who has an account (ASVS 6.3.8).
    """

    kind = fields.CharField(max_length=40)
    ip_address = fields.CharField(max_length=45, null=True)
    user_agent = fields.CharField(max_length=512, null=True)
    details: dict[str, Any] = fields.JSONField(default=dict)

    class Meta:
        table = "nobodys_events"
        indexes = (("kind", "id"),)

    @classmethod
    async def record(cls, kind: SecurityEventKind, origin: Origin, **details: str) -> None:
        """As much work as `SecurityEvent.record`."""
        await cls.create(
            kind=kind.value,
            ip_address=origin.ip_address or None,
            user_agent=origin.user_agent or None,
            details=details,
        )
        line = {"kind": kind.value, "account": None, "address": origin.ip_address, "details": details}
        after_commit(lambda: log.info("security_event", **line))

    @classmethod
    async def purge(cls) -> int:
        """Remove what is older than a day."""
        return await cls.filter(created_at__lt=clock.now() - timedelta(days=1)).delete()


class SecurityEvent(Row):
    """One thing that happened, from where, with facts that hold no secret."""

    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", related_name=False)
    account_id: UUID
    kind = fields.CharField(max_length=40)
    ip_address = fields.CharField(max_length=45, null=True)
    user_agent = fields.CharField(max_length=512, null=True)
    details: dict[str, Any] = fields.JSONField(default=dict)

    class Meta:
        table = "security_events"
        indexes = (("account_id", "id"),)

    @classmethod
    async def record(
        cls, account_id: UUID, kind: SecurityEventKind, origin: Origin, **details: str | int | bool | None
    ) -> "SecurityEvent":
        """Write the event into the account's log, in the present unit of work, and a line into the process's."""
        event = await cls.create(
            account_id=account_id,
            kind=kind.value,
            ip_address=origin.ip_address or None,
            user_agent=origin.user_agent or None,
            details=details,
        )
        line = {"kind": kind.value, "account": str(account_id), "address": origin.ip_address, "details": details}
        after_commit(lambda: log.info("security_event", **line))
        after_commit(metrics.SECURITY_EVENTS.labels(kind.value).inc)
        return event

    @classmethod
    async def record_many(
        cls, kind: SecurityEventKind, origin: Origin, about: Sequence[tuple[UUID, dict[str, str]]]
    ) -> None:
        """Write one event each into the logs of many accounts, in the present unit of work."""
        events = [
            cls(
                account_id=account_id,
                kind=kind.value,
                ip_address=origin.ip_address or None,
                user_agent=origin.user_agent or None,
                details=details,
            )
            for account_id, details in about
        ]
        await cls.bulk_create(events, batch_size=1_000)
        if events:
            after_commit(lambda: log.info("security_events", kind=kind.value, accounts=len(events)))
            after_commit(lambda: metrics.SECURITY_EVENTS.labels(kind.value).inc(len(events)))
