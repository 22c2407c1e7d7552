"""The environment, read and checked once, when a process starts."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BeforeValidator, Field, FilePath, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kit.addresses import Network, parse_networks
from kit.secret_keys import is_weak, kept_keys, parse_keys
from kit.setting_rules import (
    BaseUrl,
    DatabaseUrl,
    LinkPath,
    MailSender,
    MailUrl,
    Origins,
    RedirectUris,
    RedisUrl,
    WebAddress,
    split_list,
)

PREFIX = "GATEHOUSE_"
KEY_FILE_NAME = "gatehouse.secret-keys"
_SQLITE = "sqlite://"
_WEAKEST_ARGON2 = {1: 47_104, 2: 19_456, 3: 12_288}  # OWASP ASVS 5.0 appendix C: time cost to KiB, one lane


_PLAINER = {"bool_parsing": "must be `on` or `off`", "int_parsing": "must be a whole number"}


class SettingsError(Exception):
    """A setting is wrong: the text is a sentence that names its variable, and holds no secret."""


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _split_keys(value: object) -> object:
    return parse_keys(value) if isinstance(value, str) else value


def _split_networks(value: object) -> object:
    parts = split_list(value)
    return parse_networks(str(part) for part in parts) if isinstance(parts, list | tuple) else parts


def _in_development(values: dict[str, Any]) -> bool:
    return bool(values["environment"] == "development")


def _format_of_logs(values: dict[str, Any]) -> Literal["console", "json"]:
    return "console" if _in_development(values) else "json"


def _playground_uri(values: dict[str, Any]) -> tuple[str, ...]:
    return (f"{values['public_url']}/graphql",)


Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[int, Field(ge=1, le=315_360_000)]


class Settings(BaseSettings):
    """Everything that can be set. Tests construct it directly; then `secret_keys` must be given where they are used."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    environment: Annotated[Literal["development", "production"], BeforeValidator(_lower)] = "development"
    database_url: DatabaseUrl = Field(default="sqlite://data/gatehouse.sqlite3", repr=False)
    redis_url: RedisUrl | None = Field(default=None, repr=False)
    secret_keys: Annotated[tuple[bytes, ...], NoDecode, BeforeValidator(_split_keys)] = Field(default=(), repr=False)

    public_url: BaseUrl = "http://localhost:8000"
    password_reset_path: LinkPath = "/graphql#resetToken={token}"  # noqa: S105 - a template, with a place for the token
    invitation_path: LinkPath = "/graphql#invitationToken={token}"
    mail_url: MailUrl = Field(default="outbox:", repr=False)
    mail_from: MailSender = "Gatehouse <no-reply@localhost>"

    google_client_id: str | None = None
    google_client_secret: str | None = Field(default=None, repr=False)
    google_issuer: BaseUrl = "https://accounts.google.com"
    github_client_id: str | None = None
    github_client_secret: str | None = Field(default=None, repr=False)
    github_url: BaseUrl = "https://github.com"
    github_api_url: BaseUrl = "https://api.github.com"
    social_redirect_uris: RedirectUris = Field(default_factory=_playground_uri)
    privacy_policy_url: WebAddress | None = None

    cors_origins: Origins = ()
    trusted_documents: FilePath | None = None
    federation: bool = False
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split_networks)] = ()
    introspection: bool = Field(default_factory=_in_development)
    playground: bool = Field(default_factory=_in_development)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    workers: Positive = 1
    compiled_plans: bool = True
    argon2_memory_kib: int = Field(default=19_456, ge=8, le=4_194_304)
    argon2_time_cost: Positive = 2
    argon2_parallelism: int = Field(default=1, ge=1, le=255)
    hashing_slots: Positive = Field(default_factory=available_cores)
    hashing_queue: int = Field(default=64, ge=0)
    rate_limits: bool = True
    step_up_max_age: Seconds = 900
    session_max_age: Seconds = 2_592_000
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] = Field(default_factory=_format_of_logs)

    @property
    def is_production(self) -> bool:
        """Whether the stricter rules hold."""
        return self.environment == "production"

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file, or None when it is no file."""
        is_file = self.database_url.startswith(_SQLITE)
        return Path(unquote(self.database_url.removeprefix(_SQLITE))) if is_file else None

    @model_validator(mode="after")
    def _check_combinations(self) -> "Settings":
        if self.argon2_memory_kib < 8 * self.argon2_parallelism:
            raise ValueError(f"{PREFIX}ARGON2_MEMORY_KIB must be at least 8 for each lane of argon2.")
        if self.is_production:
            self._check_production()
        return self

    def _check_production(self) -> None:
        if not self.secret_keys:
            raise ValueError(f"{PREFIX}SECRET_KEYS must be set in production: 32 random bytes in base64url.")
        # SECURITY: whoever can guess a key can sign himself in as anybody.
        if any(is_weak(key) for key in self.secret_keys):
            raise ValueError(f"{PREFIX}SECRET_KEYS has a key that is not random: draw 32 bytes at random.")
        if "public_url" not in self.model_fields_set:
            raise ValueError(f"{PREFIX}PUBLIC_URL must be set in production: mailed links begin with it.")
        if not self.rate_limits:
            raise ValueError(f"{PREFIX}RATE_LIMITS cannot be off in production.")


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError.

    Development without secret keys gets its own, made once and kept beside the database's file (or in `data`).
    """
    try:
        settings = Settings()
    except ValidationError as error:
        # The cause is cut off, because it may hold what was typed.
        raise SettingsError(_sentences(error)) from None
    return settings if settings.secret_keys else _with_kept_keys(settings)


def _with_kept_keys(settings: Settings) -> Settings:
    folder = settings.sqlite_file.parent if settings.sqlite_file else Path("data")
    file = folder / KEY_FILE_NAME
    try:
        return settings.model_copy(update={"secret_keys": kept_keys(file)})
    except (OSError, ValueError) as error:
        raise SettingsError(f"{PREFIX}SECRET_KEYS is not set, and {file} cannot be used instead: {error}.") from None


def _sentences(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    # A default that depends on a wrong setting fails with it, and would only be noise.
    return " ".join(_sentence(detail) for detail in details if detail["type"] != "default_factory_not_called")


def _sentence(detail: ErrorDetails) -> str:
    reason = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if not detail["loc"]:
        return reason
    reason = _PLAINER.get(detail["type"], reason)
    return f"{PREFIX}{str(detail['loc'][0]).upper()} {reason if reason.startswith('must') else f'is wrong: {reason}'}."


def setting_warnings(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Sentences about settings that are allowed and yet likely to be mistakes."""
    warnings = [_unknown(name) for name in environ if _is_near_miss(name)]
    if settings.is_production and settings.mail_url.startswith("outbox:"):
        warnings.append(f"{PREFIX}MAIL_URL is not set: mails wait in the database, and nobody receives any.")
    weakest = _WEAKEST_ARGON2[min(settings.argon2_time_cost, 3)]
    if settings.is_production and settings.argon2_memory_kib < weakest:
        warnings.append(f"{PREFIX}ARGON2_MEMORY_KIB is too low for this time cost: use {weakest} at least.")
    warnings += [
        f"{PREFIX}{provider}_CLIENT_ID and _CLIENT_SECRET go together: the provider is offered when both are set."
        for provider, is_half in (
            ("GOOGLE", bool(settings.google_client_id) != bool(settings.google_client_secret)),
            ("GITHUB", bool(settings.github_client_id) != bool(settings.github_client_secret)),
        )
        if is_half
    ]
    return warnings


_KNOWN = tuple(PREFIX + name.upper() for name in Settings.model_fields)


def _is_near_miss(name: str) -> bool:
    return name.upper().startswith(PREFIX) and name.upper() not in _KNOWN and bool(_nearest(name))


def _nearest(name: str) -> list[str]:
    return difflib.get_close_matches(name.upper(), _KNOWN, n=1, cutoff=0.85)


def _unknown(name: str) -> str:
    return f"{name} is no setting and is ignored: did you mean {_nearest(name)[0]}?"
