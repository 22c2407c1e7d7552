"""One function a mail. Each reads `templates/<its name>.txt`: a subject line, an empty line, the text."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template

from kit.origin import Origin
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
        "agent": origin.user_agent or "an unnamed client",
    }


def sign_up_code(to: str, *, code: str) -> Message:
    """The code that completes a sign-up."""
    return _write("sign_up_code", to, code=code)


def sign_up_known_address(to: str, *, origin: Origin, at: datetime) -> Message:
    """To the owner of an account, where someone began a sign-up with the address."""
    return _write("sign_up_known_address", to, **_whence(origin, at))


def api_key_created(to: str, *, key_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: a key was made."""
    return _write("api_key_created", to, key_name=key_name, **_whence(origin, at))


def api_key_rotated(to: str, *, key_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: a key has a new secret."""
    return _write("api_key_rotated", to, key_name=key_name, **_whence(origin, at))


def api_key_leaked(to: str, *, key_name: str, at: datetime) -> Message:
    """A notice: someone showed us this key, so it no longer works. Whoever reported it stays unnamed."""
    return _write("api_key_leaked", to, key_name=key_name, when=at.strftime("%Y-%m-%d %H:%M UTC"))


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
