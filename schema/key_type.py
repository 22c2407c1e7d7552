"""The type of an API key, apart from its mutations: the account's type needs it too."""

from datetime import datetime

import strawberry

import models
from kit import ids
from schema.connections import Node


@strawberry.type(description="A named API key. Its secret is shown once, where it is made.")
class ApiKey(Node):
    name: str = strawberry.field(description="What the key is for.")
    description: str = strawberry.field(description="More about it; may be empty.")
    created_at: datetime = strawberry.field(description="When the key was made.")
    last_used_at: datetime | None = strawberry.field(description="To the minute; null if never used.")
    expires_at: datetime | None = strawberry.field(description="Null: never expires.")
    hint: str = strawberry.field(description="The last four characters, to tell keys apart.")

    @classmethod
    def from_row(cls, row: models.ApiKey) -> "ApiKey":
        """What clients see of the row."""
        return cls(
            id=strawberry.ID(ids.to_global("apikey", row.id)),
            name=row.name,
            description=row.description,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            hint=row.hint,
        )
