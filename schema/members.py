"""Who joins a fleet, what they are in it, and who owns it, as clients see it."""

from typing import Annotated

import strawberry

import models
from kit import ids
from resolvers import invitations, members, ownership
from schema.context import Info
from schema.fleet_types import Fleet, FleetInvitation, FleetMember, FleetRole, OwnershipOffer
from schema.fleets import FleetChanged
from schema.scalars import EmailAddress, Secret
from schema.user_errors import (
    InvalidInput,
    InvalidToken,
    LimitReached,
    NotFound,
    Refused,
    StepUpRequired,
    TooManyAttempts,
)

Token = Annotated[Secret, strawberry.argument(description="The token in the mailed link.")]
InvitationId = Annotated[strawberry.ID, strawberry.argument(description="The invitation.")]
MemberId = Annotated[strawberry.ID, strawberry.argument(description="The member.")]
OfferId = Annotated[strawberry.ID, strawberry.argument(description="The offer.")]


@strawberry.input(description="Whom to invite.")
class InviteFleetMemberInput:
    fleet_id: strawberry.ID = strawberry.field(description="The fleet.")
    email: EmailAddress = strawberry.field(description="The address that the invitation is mailed to.")
    role: FleetRole = strawberry.field(description="What whoever accepts becomes: anything but the owner.")


@strawberry.input(description="A member and the role to give.")
class ChangeFleetMemberRoleInput:
    id: strawberry.ID = strawberry.field(description="The member.")
    role: FleetRole = strawberry.field(description="The new role: anything but the owner.")


@strawberry.type(description="Said whether or not the address has an account.")
class InvitationSent:
    invitation: FleetInvitation = strawberry.field(description="The open invitation.")


@strawberry.type(description="The invitation can no longer be accepted.")
class InvitationClosed:
    id: strawberry.ID = strawberry.field(description="The invitation that was.")


@strawberry.type(description="Somebody joined, or has another role.")
class MemberChanged:
    member: FleetMember = strawberry.field(description="The member as it is now.")


@strawberry.type(description="Somebody is no longer in the fleet.")
class MemberRemoved:
    id: strawberry.ID = strawberry.field(description="The member that was.")
    fleet_id: strawberry.ID = strawberry.field(description="The fleet.")


@strawberry.type(description="The fleet is offered to another member.")
class OwnershipOffered:
    offer: OwnershipOffer = strawberry.field(description="The open offer.")


@strawberry.type(description="The offer can no longer be accepted.")
class OfferWithdrawn:
    id: strawberry.ID = strawberry.field(description="The offer that was.")


InviteFleetMemberResult = Annotated[
    InvitationSent | InvalidInput | NotFound | LimitReached | TooManyAttempts | Refused,
    strawberry.union("InviteFleetMemberResult", description="How `inviteFleetMember` answers."),
]
AcceptFleetInvitationResult = Annotated[
    MemberChanged | InvalidToken | Refused,
    strawberry.union("AcceptFleetInvitationResult", description="How `acceptFleetInvitation` answers."),
]
DeclineFleetInvitationResult = Annotated[
    InvitationClosed | InvalidToken,
    strawberry.union("DeclineFleetInvitationResult", description="How `declineFleetInvitation` answers."),
]
WithdrawFleetInvitationResult = Annotated[
    InvitationClosed | NotFound | Refused,
    strawberry.union("WithdrawFleetInvitationResult", description="How `withdrawFleetInvitation` answers."),
]
ChangeFleetMemberRoleResult = Annotated[
    MemberChanged | InvalidInput | NotFound | Refused,
    strawberry.union("ChangeFleetMemberRoleResult", description="How `changeFleetMemberRole` answers."),
]
RemoveFleetMemberResult = Annotated[
    MemberRemoved | NotFound | Refused,
    strawberry.union("RemoveFleetMemberResult", description="How `removeFleetMember` answers."),
]
OfferFleetOwnershipResult = Annotated[
    OwnershipOffered | NotFound | StepUpRequired | Refused,
    strawberry.union("OfferFleetOwnershipResult", description="How `offerFleetOwnership` answers."),
]
WithdrawOwnershipOfferResult = Annotated[
    OfferWithdrawn | NotFound | Refused,
    strawberry.union("WithdrawOwnershipOfferResult", description="How `withdrawOwnershipOffer` answers."),
]
AcceptFleetOwnershipResult = Annotated[
    FleetChanged | NotFound | StepUpRequired | Refused,
    strawberry.union("AcceptFleetOwnershipResult", description="How `acceptFleetOwnership` answers."),
]


@strawberry.type
class MemberMutations:
    @strawberry.mutation(
        description="Invites an address to a fleet. Answers the same whether or not it has an account. Owner only."
    )
    async def invite_fleet_member(
        self, info: Info, input: Annotated[InviteFleetMemberInput, strawberry.argument(description="Whom to invite.")]
    ) -> InviteFleetMemberResult:
        row, fleet = await invitations.invite_fleet_member(
            info.context.caller,
            ids.from_global("fleet", input.fleet_id),
            email=input.email,
            role=models.FleetRole(input.role.name),
        )
        row.fleet = fleet
        return InvitationSent(invitation=FleetInvitation.from_row(row))

    @strawberry.mutation(description="Joins with the mailed token. The account's address must be the invited one.")
    async def accept_fleet_invitation(self, info: Info, token: Token) -> AcceptFleetInvitationResult:
        row = await invitations.accept_fleet_invitation(info.context.caller, token)
        return MemberChanged(member=FleetMember.from_row(row))

    @strawberry.mutation(description="Closes an invitation with the mailed token, which is all it takes.")
    async def decline_fleet_invitation(self, token: Token) -> DeclineFleetInvitationResult:
        row = await invitations.decline_fleet_invitation(token)
        return InvitationClosed(id=FleetInvitation.from_row(row).id)

    @strawberry.mutation(description="Closes an invitation that nobody has accepted yet. Owner only.")
    async def withdraw_fleet_invitation(self, info: Info, id: InvitationId) -> WithdrawFleetInvitationResult:
        await invitations.withdraw_fleet_invitation(info.context.caller, ids.from_global("invitation", id))
        return InvitationClosed(id=id)

    @strawberry.mutation(description="Gives a member another role, from the next request on. Owner only.")
    async def change_fleet_member_role(
        self,
        info: Info,
        input: Annotated[ChangeFleetMemberRoleInput, strawberry.argument(description="Whose, and which.")],
    ) -> ChangeFleetMemberRoleResult:
        row = await members.change_fleet_member_role(
            info.context.caller, ids.from_global("member", input.id), role=models.FleetRole(input.role.name)
        )
        return MemberChanged(member=FleetMember.from_row(row))

    @strawberry.mutation(description="Removes a member (owner only), or leaves the fleet (the member's own id).")
    async def remove_fleet_member(self, info: Info, id: MemberId) -> RemoveFleetMemberResult:
        fleet = await members.remove_fleet_member(info.context.caller, ids.from_global("member", id))
        return MemberRemoved(id=id, fleet_id=Fleet.from_row(fleet).id)

    @strawberry.mutation(
        description="Offers the fleet to another member, who has seven days to accept. Owner only, needs a fresh "
        "sign-in."
    )
    async def offer_fleet_ownership(self, info: Info, member_id: MemberId) -> OfferFleetOwnershipResult:
        row = await ownership.offer_fleet_ownership(info.context.caller, ids.from_global("member", member_id))
        return OwnershipOffered(offer=OwnershipOffer.from_row(row))

    @strawberry.mutation(description="Takes an offer back that has not been accepted. Owner only.")
    async def withdraw_ownership_offer(self, info: Info, id: OfferId) -> WithdrawOwnershipOfferResult:
        await ownership.withdraw_ownership_offer(info.context.caller, ids.from_global("offer", id))
        return OfferWithdrawn(id=id)

    @strawberry.mutation(
        description="Swaps the roles in one step: there is never no owner, and never two. The former owner stays as a "
        "developer."
    )
    async def accept_fleet_ownership(self, info: Info, id: OfferId) -> AcceptFleetOwnershipResult:
        row = await ownership.accept_fleet_ownership(info.context.caller, ids.from_global("offer", id))
        return FleetChanged(fleet=Fleet.from_row(row))
