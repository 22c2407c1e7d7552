"""Everything that is stored about an account, as one document: one function a section.

The shape is the schema's: ids are the global ones, names are the fields'.

SECURITY: no secret and no digest is in it, and other people's addresses only where the account's owner sees them in the
product.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kit import clock, ids
from kit.addresses import client_network
from kit.throttle import EXPORT_ACCOUNT
from models import (
    Account,
    ApiKey,
    Device,
    EmailChange,
    Fleet,
    FleetInvitation,
    FleetRole,
    Membership,
    OutgoingMail,
    OwnershipOffer,
    RecoveryCode,
    SecurityEvent,
    SecurityEventKind,
    SignInOrigin,
    SocialLogin,
)
from models.members import fleets_of
from resolvers.callers import Caller

Section = Callable[[Account, Caller], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class AccountDataExport:
    """The document, and when it was true."""

    generated_at: datetime
    data: dict[str, Any]


async def export_account_data(caller: Caller) -> AccountDataExport:
    """Five times a day, with a fresh sign-in. Raises StepUpRequired, TooManyAttempts."""
    account_id = caller.freshly_signed_in().id
    client = client_network(caller.origin.ip_address)
    await caller.services.throttle.take([(EXPORT_ACCOUNT, str(account_id))], client=client)
    async with caller.changing_account() as account:
        await caller.record(account.id, SecurityEventKind.DATA_EXPORTED)
        generated_at = clock.now()
        data = {name: await section(account, caller) for name, section in SECTIONS.items()}
    return AccountDataExport(generated_at, data)


async def _account(account: Account, _: Caller) -> dict[str, Any]:
    return {
        "id": ids.to_global("account", account.id),
        "email": account.email,
        "createdAt": _instant(account.created_at),
        "hasPassword": account.password_hash is not None,
    }


async def _social_identities(account: Account, _: Caller) -> list[dict[str, Any]]:
    rows = await SocialLogin.filter(account_id=account.id).order_by("id")
    return [
        {
            "id": ids.to_global("identity", row.id),
            "provider": row.provider,
            "displayName": row.display_name,
            "subject": row.subject,
            "email": row.email,
            "linkedAt": _instant(row.created_at),
        }
        for row in rows
    ]


async def _two_factor(account: Account, _: Caller) -> dict[str, Any]:
    return {
        "enabled": account.two_factor_enabled_at is not None,
        "enabledAt": _instant(account.two_factor_enabled_at),
        "recoveryCodesRemaining": await RecoveryCode.remaining(account.id),
    }


async def _email_change(account: Account, _: Caller) -> dict[str, Any] | None:
    row = await EmailChange.filter(account_id=account.id).first()
    return {"newEmail": row.email, "expiresAt": _instant(row.expires_at)} if row else None


async def _sign_in_origins(account: Account, _: Caller) -> list[dict[str, Any]]:
    rows = await SignInOrigin.filter(account_id=account.id).order_by("id")
    return [
        {"network": row.network, "firstSeenAt": _instant(row.created_at), "lastSeenAt": _instant(row.seen_at)}
        for row in rows
    ]


async def _api_keys(account: Account, _: Caller) -> list[dict[str, Any]]:
    return [
        {
            "id": ids.to_global("apikey", key.id),
            "name": key.name,
            "description": key.description,
            "createdAt": _instant(key.created_at),
            "lastUsedAt": _instant(key.last_used_at),
            "expiresAt": _instant(key.expires_at),
            "hint": key.hint,
        }
        for key in await ApiKey.filter(account_id=account.id).order_by("id")
    ]


async def _fleets(account: Account, _: Caller) -> list[dict[str, Any]]:
    """Fleets that the account owns, with all that is in them; of the others only that it is a member."""
    memberships = {row.fleet_id: row for row in await Membership.filter(account_id=account.id)}
    fleets = await fleets_of(account.id).order_by("id").select_related("owner")
    return [await _fleet(fleet, memberships[fleet.id]) for fleet in fleets]


async def _fleet(fleet: Fleet, own: Membership) -> dict[str, Any]:
    role = own.role_in(fleet)
    outside = {
        "id": ids.to_global("fleet", fleet.id),
        "name": fleet.name,
        "createdAt": _instant(fleet.created_at),
        "owner": {"email": fleet.owner.email},
        "viewerRole": role.value,
        "joinedAt": _instant(own.created_at),
    }
    return outside | await _inside(fleet) if role is FleetRole.OWNER else outside


async def _inside(fleet: Fleet) -> dict[str, Any]:
    members = await Membership.filter(fleet_id=fleet.id).order_by("id").select_related("account")
    invitations = await FleetInvitation.filter(fleet_id=fleet.id).order_by("id").select_related("fleet__owner")
    devices = await Device.filter(fleet_id=fleet.id).order_by("id").values("id", "uuid", "name", "created_at")
    offers = await OwnershipOffer.filter(fleet_id=fleet.id)
    return {
        "members": [_member(member, fleet) for member in members],
        "invitations": [_invitation(invitation) for invitation in invitations],
        "devices": [_device(device) for device in devices],
        "ownershipOffer": _offer(offers[0]) if offers else None,
    }


def _member(member: Membership, fleet: Fleet) -> dict[str, Any]:
    return {
        "id": ids.to_global("member", member.id),
        "email": member.account.email,
        "role": member.role_in(fleet).value,
        "joinedAt": _instant(member.created_at),
    }


def _invitation(invitation: FleetInvitation) -> dict[str, Any]:
    return {
        "id": ids.to_global("invitation", invitation.id),
        "fleetName": invitation.fleet.name,
        "email": invitation.email,
        "role": invitation.role,
        "invitedBy": invitation.fleet.owner.email,
        "sentAt": _instant(invitation.sent_at),
        "expiresAt": _instant(invitation.expires_at),
    }


def _device(device: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": ids.to_global("device", device["id"]),
        "uuid": device["uuid"],
        "name": device["name"],
        "createdAt": _instant(device["created_at"]),
    }


def _offer(offer: OwnershipOffer) -> dict[str, Any]:
    return {
        "id": ids.to_global("offer", offer.id),
        "to": {"id": ids.to_global("member", offer.member_id)},
        "offeredAt": _instant(offer.created_at),
        "expiresAt": _instant(offer.expires_at),
    }


async def _invitations(account: Account, _: Caller) -> list[dict[str, Any]]:
    return [_invitation(invitation) for invitation in await FleetInvitation.open_for(account.id).order_by("id")]


async def _security_events(account: Account, _: Caller) -> list[dict[str, Any]]:
    return [
        {
            "id": ids.to_global("event", event.id),
            "kind": event.kind,
            "at": _instant(event.created_at),
            "ipAddress": event.ip_address,
            "userAgent": event.user_agent,
            "details": event.details,
        }
        for event in await SecurityEvent.filter(account_id=account.id).order_by("id")
    ]


async def _mails(account: Account, caller: Caller) -> list[dict[str, Any]]:
    """When mails were written and sent. Their texts are wiped, or on their way to the same person."""
    mails = await OutgoingMail.of(account.id, keyring=caller.services.keyring).order_by("id")
    return [{"queuedAt": _instant(mail.created_at), "sentAt": _instant(mail.sent_at)} for mail in mails]


def _instant(at: datetime | None) -> str | None:
    """As the schema writes a `DateTime`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


SECTIONS: Mapping[str, Section] = {
    "account": _account,
    "socialIdentities": _social_identities,
    "twoFactor": _two_factor,
    "emailChange": _email_change,
    "apiKeys": _api_keys,
    "fleets": _fleets,
    "invitations": _invitations,
    "securityEvents": _security_events,
    "signInOrigins": _sign_in_origins,
    "mails": _mails,
}
"""What the document has, by the names of `Account`'s fields where there are any. A new table about people adds its
own section here."""
