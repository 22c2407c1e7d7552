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


def social_identity_linked(to: str, *, provider: str, display_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: one more way to sign in."""
    return _write("social_identity_linked", to, provider=provider, display_name=display_name, **_whence(origin, at))


def social_identity_unlinked(to: str, *, provider: str, display_name: str, origin: Origin, at: datetime) -> Message:
    """A notice: one way less to sign in."""
    return _write("social_identity_unlinked", to, provider=provider, display_name=display_name, **_whence(origin, at))
