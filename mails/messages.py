"""One function a mail. Each reads `templates/<its name>.txt`: a subject line, an empty line, the text."""

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
