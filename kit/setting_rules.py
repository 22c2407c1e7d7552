"""What the value of a setting must look like. Every function raises ValueError with the end of a sentence.

No sentence repeats the value where it may hold a password.
"""

import re
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

_WEB = ("http", "https")
_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_WITHOUT_HOST = ("sqlite:", "unix:", "outbox:")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")  # RFC 8252 section 7.1: a reversed domain name


def split_list(value: object) -> object:
    """The parts of a comma-separated text, without blanks around them."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def base_url(value: str) -> str:
    """A front-end's or provider's base, without the slash at its end."""
    parts = _split(value)
    if parts.scheme not in _WEB or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be a URL such as `https://accounts.example.org`, with nothing behind the path")
    return value.rstrip("/")


def web_address(value: str) -> str:
    """Any page on the web."""
    parts = _split(value)
    if parts.scheme not in _WEB or not parts.hostname:
        raise ValueError("must be an address such as `https://example.org/privacy`")
    return value


def origin(value: str) -> str:
    """An exact origin as browsers send it."""
    parts = _split(value)
    if parts.scheme not in _WEB or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}".lower():
        raise ValueError("must be origins such as `https://app.example.org`, in lower case and without a path")
    return value


def redirect_uri(value: str) -> str:
    """Where a social sign-in may send the browser: compared character by character later."""
    parts = _split(value)
    is_web = parts.scheme in _WEB and bool(parts.hostname)
    if not (is_web or _PRIVATE_SCHEME.fullmatch(parts.scheme)) or "#" in value:
        raise ValueError("must be whole addresses such as `https://app.example.org/signed-in`, without `#`")
    return value


def link_path(value: str) -> str:
    """A path of the front-end with the place for the token."""
    if not _printable(value).startswith("/") or value.count("{token}") != 1:
        raise ValueError("must begin with `/` and have `{token}` in it once")
    return value


def schemes(*allowed: str) -> Callable[[str], str]:
    """A check that a URL begins with one of these."""

    def check(value: str) -> str:
        if not _printable(value).startswith(allowed):
            raise ValueError(f"must begin with {' or '.join(f'`{scheme}`' for scheme in allowed)}")
        if not value.startswith(_WITHOUT_HOST):
            parts = _split(value)
            # PostgreSQL's socket folder stands in the query.
            if not parts.hostname and "host=" not in parts.query:
                raise ValueError("must name a host")
        return value

    return check


def mail_sender(value: str) -> str:
    """An address, with or without a name before it."""
    address = parseaddr(_readable(value))[1]
    if (
        address.count("@") != 1
        or not all(address.partition("@"))
        or not address.isascii()
        or any(letter.isspace() for letter in address)
    ):
        raise ValueError("must be an address such as `Gatehouse <no-reply@example.org>`")
    return value


def _printable(value: str) -> str:
    if not value.isascii() or any(letter <= " " for letter in value):
        raise ValueError("must be plain ASCII without blanks: percent-encode what is not")
    return value


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(_printable(value))
        _ = parts.port
    except ValueError:
        # The cause repeats parts of the URL, and a password may be among them.
        raise ValueError("must be a well-formed URL in plain ASCII, without blanks") from None
    return parts


def _in_a_file(value: str) -> str:
    if value.startswith("sqlite://:memory:"):
        raise ValueError("must name a file: what is in memory is gone with the process")
    return value


def _asks_what_is_known(value: str) -> str:
    """SECURITY: a parameter that was passed over could be the one that asks for TLS."""
    if value.startswith("sqlite:"):
        return value
    asked = dict(pair.partition("=")[::2] for pair in urlsplit(value).query.split("&") if pair)
    if unknown := asked.keys() - {"host", "port", "sslmode", "sslrootcert"}:
        raise ValueError(f"must not have `{min(unknown)}` in its query: host, port, sslmode and sslrootcert are known")
    if asked.get("sslmode", "prefer") not in _TLS_MODES:
        raise ValueError(f"must have one of {', '.join(_TLS_MODES)} as its sslmode")
    if "sslrootcert" in asked and not Path(unquote(asked["sslrootcert"])).is_file():
        raise ValueError("must name a file as its sslrootcert")
    return value


def _only_outbox(value: str) -> str:
    if value.startswith("outbox:") and value != "outbox:":
        raise ValueError("must be `outbox:` with nothing behind it, or name a mail server")
    return value


def _readable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not contain control characters or line breaks")
    return value


BaseUrl = Annotated[str, AfterValidator(base_url)]
WebAddress = Annotated[str, AfterValidator(web_address)]
LinkPath = Annotated[str, AfterValidator(link_path)]
MailSender = Annotated[str, AfterValidator(mail_sender)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(origin)], ...], NoDecode, BeforeValidator(split_list)]
RedirectUris = Annotated[
    tuple[Annotated[str, AfterValidator(redirect_uri)], ...], NoDecode, BeforeValidator(split_list)
]
DatabaseUrl = Annotated[
    str,
    AfterValidator(schemes("sqlite://", "postgres://", "postgresql://")),
    AfterValidator(_in_a_file),
    AfterValidator(_asks_what_is_known),
]
RedisUrl = Annotated[str, AfterValidator(schemes("redis://", "rediss://", "unix://"))]
MailUrl = Annotated[
    str, AfterValidator(schemes("outbox:", "smtp://", "smtps://", "smtp+plain://")), AfterValidator(_only_outbox)
]
