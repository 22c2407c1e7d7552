"""What goes with an account: the account's type shows it before, the answer of the deletion after."""

import strawberry

from resolvers import account_deletion


@strawberry.type(description="What goes with an account.")
class DeletionPlan:
    fleets: int = strawberry.field(description="Fleets of this account.")
    devices: int = strawberry.field(description="Devices in them.")
    api_keys: int = strawberry.field(description="API keys, which stop working.")
    members_affected: int = strawberry.field(description="People who lose access to a fleet of this account.")
    memberships_left: int = strawberry.field(description="Fleets of others that the account leaves.")

    @classmethod
    def of(cls, plan: account_deletion.DeletionPlan) -> "DeletionPlan":
        """The same for clients."""
        return cls(
            fleets=plan.fleets,
            devices=plan.devices,
            api_keys=plan.api_keys,
            members_affected=plan.members_affected,
            memberships_left=plan.memberships_left,
        )
