"""One function a mail. Each reads `templates/<its name>.txt`: a subject line, an empty line, the text."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template

from kit.origin import Origin
from mails.agents import named_agent
from models import Message

_FOLDER = Path(__file__).parent / "templates"


@cache
def _template(name: str) -> tuple[Template, Template]:
    subject, _, text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    return Template(subject.removeprefix("Subject: ")), Template(text)


def _write(name: str, to: str, **words: str) -> Message:
    subject, text = _template(name)
    return Message(to=to, subject=subject.substitute(words), text=text.substitute(words))


def _whence(origin: Origin, at: datetime) -> dict[str, str]:
    return {
        "when": at.strftime("%Y-%m-%d %H:%M UTC"),
        "address": origin.ip_address or "an unknown address",
        "agent": named_agent(origin.user_agent),
    }


def sign_up_code(to: str, *, code: str) -> Message:
    """The code that completes a sign-up."""
    return _write("sign_up_code", to, code=code)


def sign_up_known_address(to: str, *, origin: Origin, at: datetime) -> Message:
    """To the owner of an account, where someone began a sign-up with the address."""
    return _write("sign_up_known_address", to, **_whence(origin, at))


def sign_in_from_new_place(to: str, *, origin: Origin, at: datetime) -> Message:
    """A notice: a sign-in from an address and a user agent that the account did not have together before."""
    return _write("sign_in_from_new_place", to, **_whence(origin, at))


def password_reset_link(to: str, *, link: str, origin: Origin, at: datetime) -> Message:
    """The link that sets a new password."""
    return _write("password_reset_link", to, link=link, **_whence(origin, at))


def password_reset(to: str, *, key_names: Sequence[str], origin: Origin, at: datetime) -> Message:
    """A notice: the password was set anew by a mailed link. Names the API keys, which still work."""
    return _write("password_reset", to, keys=_listed(key_names), **_whence(origin, at))


def password_changed(to: str, *, origin: Origin, at: datetime) -> Message:
    """A notice: the password was changed by someone who knew the former one."""
    return _write("password_changed", to, **_whence(origin, at))


def password_set(to: str, *, origin: Origin, at: datetime) -> Message:
    """A notice: an account that had no password has one."""
    return _write("password_set", to, **_whence(origin, at))


def email_change_code(to: str, *, code: str) -> Message:
    """The code that proves the new address, mailed there."""
    return _write("email_change_code", to, code=code)


def email_change_known_address(to: str, *, origin: Origin, at: datetime) -> Message:
    """To the owner of an account, where someone wanted to move another account to its address."""
    return _write("email_change_known_address", to, **_whence(origin, at))


def email_change_requested(to: str, *, new_email: str, origin: Origin, at: datetime) -> Message:
    """A notice to the present address: someone began to move the account to another one."""
    return _write("email_change_requested", to, new_email=new_email, **_whence(origin, at))


def email_changed_from(to: str, *, new_email: str, origin: Origin, at: datetime) -> Message:
    """A notice to the former address."""
    return _write("email_changed_from", to, new_email=new_email, **_whence(origin, at))


def email_changed_to(to: str, *, origin: Origin, at: datetime) -> Message:
    """A notice to the new address."""
    return _write("email_changed_to", to, **_whence(origin, at))


def _listed(names: Sequence[str]) -> str:
    return "\n".join(f"- {name}" for name in names) or "(none)"


def api_key_created(to: str, *, key_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: a key was made."""
    return _write("api_key_created", to, key_name=key_name, **_whence(origin, at))


def api_key_rotated(to: str, *, key_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: a key has a new secret."""
    return _write("api_key_rotated", to, key_name=key_name, **_whence(origin, at))


def api_key_leaked(to: str, *, key_name: str, at: datetime) -> Message:
    """A notice: someone showed us this key, so it no longer works. Whoever reported it stays unnamed."""
    return _write("api_key_leaked", to, key_name=key_name, when=at.strftime("%Y-%m-%d %H:%M UTC"))


def two_factor_enabled(to: str, *, origin: Origin, at: datetime) -> Message:
    """A notice: two-factor authentication is on."""
    return _write("two_factor_enabled", to, **_whence(origin, at))


def two_factor_disabled(to: str, *, origin: Origin, at: datetime) -> Message:
    """A notice: two-factor authentication is off."""
    return _write("two_factor_disabled", to, **_whence(origin, at))


def recovery_code_used(to: str, *, left: int, origin: Origin, at: datetime) -> Message:
    """A notice: a recovery code was used, and so many are left."""
    return _write("recovery_code_used", to, left=str(left), **_whence(origin, at))


def recovery_codes_low(to: str, *, left: int) -> Message:
    """A reminder: few recovery codes are left."""
    return _write("recovery_codes_low", to, left=str(left))


def recovery_codes_regenerated(to: str, *, origin: Origin, at: datetime) -> Message:
    """A notice: there are new recovery codes."""
    return _write("recovery_codes_regenerated", to, **_whence(origin, at))


def social_identity_linked(to: str, *, provider: str, display_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: one more way to sign in."""
    return _write("social_identity_linked", to, provider=provider, display_name=display_name, **_whence(origin, at))


def social_identity_unlinked(to: str, *, provider: str, display_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: one way less to sign in."""
    return _write("social_identity_unlinked", to, provider=provider, display_name=display_name, **_whence(origin, at))


def fleet_invitation(to: str, *, fleet_name: str, invited_by: str, role: str, link: str) -> Message:
    """The link that lets the address join a fleet."""
    return _write("fleet_invitation", to, fleet_name=fleet_name, invited_by=invited_by, role=role, link=link)


def fleet_member_joined(to: str, *, fleet_name: str, member: str, role: str, at: datetime) -> Message:
    """To the owner: an invitation was accepted."""
    return _write("fleet_member_joined", to, fleet_name=fleet_name, member=member, role=role, when=_minute(at))


def fleet_member_role_changed(to: str, *, fleet_name: str, role: str, at: datetime) -> Message:
    """To a member: the owner gave another role."""
    return _write("fleet_member_role_changed", to, fleet_name=fleet_name, role=role, when=_minute(at))


def fleet_member_removed(to: str, *, fleet_name: str, at: datetime) -> Message:
    """To a former member: the owner removed you."""
    return _write("fleet_member_removed", to, fleet_name=fleet_name, when=_minute(at))


def fleet_deleted(to: str, *, fleet_names: Sequence[str], at: datetime) -> Message:
    """To a former member: these fleets are gone. Their owner, whose account may be gone too, stays unnamed."""
    names = "\n".join(f'- "{name}"' for name in fleet_names)
    return _write("fleet_deleted", to, fleet_names=names, when=_minute(at))


def fleet_ownership_offered(to: str, *, fleet_name: str, owner: str, expires_at: datetime) -> Message:
    """To a member: the owner wants to hand the fleet over to you."""
    return _write("fleet_ownership_offered", to, fleet_name=fleet_name, owner=owner, until=_minute(expires_at))


def fleet_transferred(to: str, *, fleet_name: str, owner: str, at: datetime) -> Message:
    """To the former owner: the offer was accepted."""
    return _write("fleet_transferred", to, fleet_name=fleet_name, owner=owner, when=_minute(at))


def account_deleted(to: str, *, origin: Origin, at: datetime) -> Message:
    """The last mail: the account is gone."""
    return _write("account_deleted", to, **_whence(origin, at))


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
