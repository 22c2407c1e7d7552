"""Linked identities, as clients see them."""

from datetime import datetime

import strawberry

import models
from kit import ids
from kit.providers import ProviderName
from schema.connections import Node

strawberry.enum(ProviderName, name="SocialProvider", description="Who else can vouch for a person.")


@strawberry.type(description="An identity at a provider that opens the account.")
class SocialIdentity(Node):
    provider: ProviderName = strawberry.field(description="Who vouches for it.")
    display_name: str = strawberry.field(description="What the provider called the person when it was linked.")
    linked_at: datetime = strawberry.field(description="When it was linked.")

    @classmethod
    def from_row(cls, row: models.SocialLogin) -> "SocialIdentity":
        """What clients see of the row."""
        return cls(
            id=strawberry.ID(ids.to_global("identity", row.id)),
            provider=row.provider_name,
            display_name=row.display_name,
            linked_at=row.created_at,
        )
