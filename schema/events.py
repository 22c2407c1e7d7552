"""Security events, as clients see them."""

from datetime import datetime

import strawberry

import models
from kit import ids
from schema.connections import Node
from schema.scalars import JSON

strawberry.enum(models.SecurityEventKind, description="What can happen to an account.")


@strawberry.type(description="One thing that happened to the account.")
class SecurityEvent(Node):
    kind: models.SecurityEventKind = strawberry.field(description="What happened.")
    at: datetime = strawberry.field(description="When it happened.")
    ip_address: str | None = strawberry.field(description="The address that it was asked for from, where known.")
    user_agent: str | None = strawberry.field(description="What the client calls itself, where it said so.")
    details: JSON = strawberry.field(
        description="Facts of the event, without secrets: the key's name, the old and new role, and so on."
    )

    @classmethod
    def from_row(cls, row: models.SecurityEvent) -> "SecurityEvent":
        """What clients see of the row."""
        return cls(
            id=strawberry.ID(ids.to_global("event", row.id)),
            kind=models.SecurityEventKind(row.kind),
            at=row.created_at,
            ip_address=row.ip_address,
            user_agent=row.user_agent,
            details=JSON(row.details),
        )
