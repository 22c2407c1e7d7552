"""The account itself, how its owner gets in, and what happened to it."""

from datetime import UTC, datetime
from uuid import UUID

from kit import ids, totp
from models import (
    Account,
    ApiKey,
    ApiKeySecret,
    EmailChange,
    OutgoingMail,
    PasswordReset,
    RecoveryCode,
    SecurityEvent,
    SignInOrigin,
    SignInTicket,
    SocialLogin,
    SocialLoginAttempt,
    TotpDevice,
)
from resolvers.account_export.rows import Facts, each, instant, listed
from resolvers.callers import Caller


async def account(account: Account, _: Caller) -> Facts:
    """The row itself."""
    return {
        "id": ids.to_global("account", account.id),
        "email": account.email,
        "createdAt": instant(account.created_at),
        "hasPassword": account.password_hash is not None,
    }


async def social_identities(account: Account, _: Caller) -> list[Facts]:
    """With what the schema does not show: the provider's own id of the person, and the address it gave."""
    return await listed(SocialLogin.filter(account_id=account.id), _social_identity)


def _social_identity(login: SocialLogin) -> Facts:
    return {
        "id": ids.to_global("identity", login.id),
        "provider": login.provider,
        "displayName": login.display_name,
        "subject": login.subject,
        "email": login.email,
        "linkedAt": instant(login.created_at),
    }


async def social_login_attempts(account: Account, _: Caller) -> list[Facts]:
    """Linkings that wait for the provider's answer."""
    return await listed(SocialLoginAttempt.filter(account_id=account.id), _social_login_attempt)


def _social_login_attempt(attempt: SocialLoginAttempt) -> Facts:
    return {
        "provider": attempt.provider,
        "startedAt": instant(attempt.created_at),
        "expiresAt": instant(attempt.expires_at),
    }


async def two_factor(account: Account, _: Caller) -> Facts:
    """Whether it is on, and the authenticator app, which is there before it is on."""
    app = await TotpDevice.filter(account_id=account.id).first()
    codes = await RecoveryCode.filter(account_id=account.id).order_by("id")
    return {
        "enabled": account.two_factor_enabled_at is not None,
        "enabledAt": instant(account.two_factor_enabled_at),
        "authenticator": _authenticator(app) if app else None,
        "recoveryCodesRemaining": len(codes),
        "recoveryCodesCreatedAt": instant(codes[0].created_at) if codes else None,
    }


def _authenticator(app: TotpDevice) -> Facts:
    return {
        "pairingStartedAt": instant(app.created_at),
        "pairingExpiresAt": instant(app.pending_until),
        "confirmedAt": instant(app.confirmed_at),
        # The half minute whose code was accepted last.
        "lastCodeOf": instant(datetime.fromtimestamp(app.last_step * totp.STEP_SECONDS, UTC))
        if app.last_step
        else None,
    }


async def email_change(account: Account, _: Caller) -> Facts | None:
    """The change of address that waits for its code."""
    row = await EmailChange.filter(account_id=account.id).first()
    if row is None:
        return None
    return {"newEmail": row.email, "requestedAt": instant(row.created_at), "expiresAt": instant(row.expires_at)}


async def password_resets(account: Account, _: Caller) -> list[Facts]:
    """Mailed links, of which an address has one at most: several where the account has moved."""
    return await listed(
        PasswordReset.filter(account_id=account.id),
        lambda link: {"requestedAt": instant(link.created_at), "expiresAt": instant(link.expires_at)},
    )


async def sign_in_tickets(account: Account, _: Caller) -> list[Facts]:
    """Sign-ins that wait for their second step."""
    return await listed(SignInTicket.filter(account_id=account.id), _sign_in_ticket)


def _sign_in_ticket(ticket: SignInTicket) -> Facts:
    return {
        "methods": ticket.methods,
        "startedAt": instant(ticket.created_at),
        "expiresAt": instant(ticket.expires_at),
    }


async def sign_in_origins(account: Account, _: Caller) -> list[Facts]:
    """Where the account was signed in from."""
    return await listed(SignInOrigin.filter(account_id=account.id), _sign_in_origin)


def _sign_in_origin(origin: SignInOrigin) -> Facts:
    return {
        "network": origin.network,
        "firstSeenAt": instant(origin.created_at),
        "lastSeenAt": instant(origin.seen_at),
    }


async def api_keys(account: Account, _: Caller) -> list[Facts]:
    """With the dates of what a key was before it was rotated."""
    former: dict[UUID, list[ApiKeySecret]] = {}
    async for rotated in each(ApiKeySecret.filter(api_key__account_id=account.id, ends_at__isnull=False)):
        former.setdefault(rotated.api_key_id, []).append(rotated)
    return await listed(ApiKey.filter(account_id=account.id), lambda key: _api_key(key, former.get(key.id, [])))


def _api_key(key: ApiKey, former: list[ApiKeySecret]) -> Facts:
    return {
        "id": ids.to_global("apikey", key.id),
        "name": key.name,
        "description": key.description,
        "createdAt": instant(key.created_at),
        "lastUsedAt": instant(key.last_used_at),
        "expiresAt": instant(key.expires_at),
        "hint": key.hint,
        "previousKeyEndsAt": instant(former[-1].ends_at) if former else None,
        "previousKeys": [{"createdAt": instant(one.created_at), "endsAt": instant(one.ends_at)} for one in former],
    }


async def security_events(account: Account, _: Caller) -> list[Facts]:
    """What happened to the account."""
    return await listed(SecurityEvent.filter(account_id=account.id), _security_event)


def _security_event(event: SecurityEvent) -> Facts:
    return {
        "id": ids.to_global("event", event.id),
        "kind": event.kind,
        "at": instant(event.created_at),
        "ipAddress": event.ip_address,
        "userAgent": event.user_agent,
        "details": event.details,
    }


async def mails(account: Account, caller: Caller) -> list[Facts]:
    """When mails were written and sent. Their texts are wiped, or on their way to the same person."""
    return await listed(
        OutgoingMail.of(account.id, keyring=caller.services.keyring),
        lambda mail: {"queuedAt": instant(mail.created_at), "sentAt": instant(mail.sent_at)},
    )
