"""Settings: what is read, what is refused with which sentence, and what is never shown."""

import hashlib
import os
import stat
from ipaddress import ip_network
from pathlib import Path

import pytest

from kit.secret_keys import is_weak, parse_keys, write_keys
from kit.settings import Settings, SettingsError, load_settings, setting_warnings

KEYS = tuple(hashlib.sha256(name).digest() for name in (b"new", b"old"))
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEYS": write_keys(KEYS),
    "PUBLIC_URL": "https://accounts.example.org",
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("GATEHOUSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"GATEHOUSE_{name}", value)
    return load_settings()


def sentence(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load(monkeypatch, **variables)
    assert refused.value.__suppress_context__
    return str(refused.value)


def test_defaults_are_those_of_the_contract() -> None:
    settings = Settings()

    assert not settings.is_production
    assert settings.database_url == "sqlite://data/gatehouse.sqlite3"
    assert settings.sqlite_file == Path("data/gatehouse.sqlite3")
    assert settings.redis_url is None
    assert settings.public_url == "http://localhost:8000"
    assert settings.password_reset_path == "/graphql#resetToken={token}"
    assert settings.invitation_path == "/graphql#invitationToken={token}"
    assert (settings.mail_url, settings.mail_from) == ("outbox:", "Gatehouse <no-reply@localhost>")
    assert settings.social_redirect_uris == ("http://localhost:8000/graphql",)
    assert settings.cors_origins == settings.trusted_proxies == ()
    assert (settings.introspection, settings.playground, settings.federation) == (True, True, False)
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert (settings.argon2_memory_kib, settings.argon2_time_cost, settings.argon2_parallelism) == (19_456, 2, 1)
    assert settings.hashing_slots >= 1
    assert settings.hashing_queue == 64
    assert settings.rate_limits
    assert (settings.step_up_max_age, settings.session_max_age) == (900, 2_592_000)
    assert (settings.log_level, settings.log_format) == ("info", "console")
    assert settings.google_client_id is settings.github_client_secret is settings.privacy_policy_url is None


def test_production_is_stricter_unless_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **PRODUCTION)

    assert settings.is_production
    assert (settings.introspection, settings.playground, settings.log_format) == (False, False, "json")
    assert settings.social_redirect_uris == ("https://accounts.example.org/graphql",)
    assert settings.secret_keys == KEYS
    assert load(monkeypatch, PLAYGROUND="on").playground
    assert not Path("data").exists()


def test_values_are_read_and_tidied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text("{}")

    settings = load(
        monkeypatch,
        PUBLIC_URL="https://accounts.example.org/",
        CORS_ORIGINS=" https://a.example.org , https://b.example.org:8443,",
        SOCIAL_REDIRECT_URIS="https://a.example.org/x?y=1,org.example.app:/signed-in",
        TRUSTED_PROXIES="10.0.0.0/8, fd00::1",
        TRUSTED_DOCUMENTS=str(manifest),
        PRIVACY_POLICY_URL="https://example.org/privacy?lang=en",
        FEDERATION="on",
        RATE_LIMITS="off",
        LOG_LEVEL="DEBUG",
        PORT="0",
        HOST="",
    )

    assert settings.public_url == "https://accounts.example.org"
    assert settings.cors_origins == ("https://a.example.org", "https://b.example.org:8443")
    assert settings.social_redirect_uris == ("https://a.example.org/x?y=1", "org.example.app:/signed-in")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("fd00::1"))
    assert settings.trusted_documents == manifest
    assert settings.privacy_policy_url == "https://example.org/privacy?lang=en"
    assert (settings.federation, settings.rate_limits, settings.log_level) == (True, False, "debug")
    # An empty variable is one that is not set.
    assert (settings.port, settings.host) == (0, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("DATABASE_URL", "postgres://root:hunter2@db:port/x"),
        ("DATABASE_URL", "postgres:///hunter2"),
        ("REDIS_URL", "http://:hunter2@redis"),
        ("SECRET_KEYS", "changeme-hunter2"),
        ("SECRET_KEYS", "hunter2 hunter2!"),
        ("SECRET_KEYS", write_keys([KEYS[0]]) + ",hunter2"),
        ("SECRET_KEYS", write_keys([KEYS[0], KEYS[0]])),
        ("SECRET_KEYS", write_keys([KEYS[0][:31]])),
        ("PUBLIC_URL", "accounts.example.org"),
        ("PUBLIC_URL", "https://root:hunter2@accounts.example.org"),
        ("PUBLIC_URL", "https://accounts.example.org/?x"),
        ("PUBLIC_URL", "https://accounts.example.org\n"),
        ("PASSWORD_RESET_PATH", "/reset"),
        ("PASSWORD_RESET_PATH", "https://evil.test/{token}"),
        ("INVITATION_PATH", "/{token}/{token}"),
        ("MAIL_URL", "smtp.example.org"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@example.org\r\nBcc: b@example.org"),
        ("GOOGLE_ISSUER", "javascript:alert(1)"),
        ("SOCIAL_REDIRECT_URIS", "https://a.example.org/x#y"),
        ("SOCIAL_REDIRECT_URIS", "javascript:alert(1)"),
        ("PRIVACY_POLICY_URL", "/privacy"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "null"),
        ("CORS_ORIGINS", "https://a.example.org/"),
        ("CORS_ORIGINS", "https://A.example.org"),
        ("TRUSTED_DOCUMENTS", "missing.json"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "postgres://gate@db/gate?sslmode=on"),
        ("DATABASE_URL", "postgres://gate@db/gate?sslmode=verify-full&sslrootcert=/no/such.pem"),
        ("DATABASE_URL", "postgres://gate@db/gate?application_name=x"),
        ("MAIL_URL", "outbox:elsewhere"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "*"),
        ("FEDERATION", "perhaps"),
        ("PORT", "99999"),
        ("PORT", "http"),
        ("WORKERS", "0"),
        ("ARGON2_MEMORY_KIB", "7"),
        ("ARGON2_PARALLELISM", "0"),
        ("HASHING_SLOTS", "0"),
        ("HASHING_QUEUE", "-1"),
        ("STEP_UP_MAX_AGE", "0"),
        ("SESSION_MAX_AGE", "1e99"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_stops_with_a_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    text = sentence(monkeypatch, **{name: value})

    assert text.startswith(f"GATEHOUSE_{name} ")
    assert text.endswith(".")
    assert "\n" not in text
    assert "hunter2" not in text
    assert text.count("GATEHOUSE_") == 1


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sentence(monkeypatch, PORT="x", WORKERS="y")

    assert "GATEHOUSE_PORT must be a whole number." in text
    assert "GATEHOUSE_WORKERS must be a whole number." in text


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"SECRET_KEYS": ""}, "SECRET_KEYS"),
        ({"SECRET_KEYS": write_keys([b"k" * 32])}, "SECRET_KEYS"),
        ({"SECRET_KEYS": write_keys([KEYS[0], bytes(32)])}, "SECRET_KEYS"),
        ({"SECRET_KEYS": write_keys([b"correct horse battery staple 123"])}, "SECRET_KEYS"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL"),
        ({"RATE_LIMITS": "off"}, "RATE_LIMITS"),
    ],
)
def test_production_refuses_what_would_be_open(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str
) -> None:
    text = sentence(monkeypatch, **PRODUCTION | variables)

    assert text.startswith(f"GATEHOUSE_{name} ")
    assert not Path("data").exists()


def test_lanes_of_argon2_need_memory_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "GATEHOUSE_ARGON2_MEMORY_KIB" in sentence(monkeypatch, ARGON2_MEMORY_KIB="8", ARGON2_PARALLELISM="2")


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        **PRODUCTION,
        DATABASE_URL="postgres://gate:hunter2@db/gate",
        REDIS_URL="redis://:hunter2@redis",
        MAIL_URL="smtps://gate:hunter2@mail",
        GOOGLE_CLIENT_SECRET="hunter2",
        GITHUB_CLIENT_SECRET="hunter2",
    )

    shown = f"{settings!r} {settings}"
    assert "hunter2" not in shown
    assert str(KEYS[0]) not in shown
    assert PRODUCTION["SECRET_KEYS"] not in shown


def test_development_makes_keys_once_for_its_owner_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load(monkeypatch, DATABASE_URL=f"sqlite://{tmp_path}/own/gate.sqlite3")

    kept = tmp_path / "own" / "gatehouse.secret-keys"
    assert [len(key) for key in settings.secret_keys] == [32]
    assert not is_weak(settings.secret_keys[0])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert load_settings().secret_keys == settings.secret_keys
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.mark.parametrize("url", ["postgres://gate@db/gate", "postgres:///gate?host=/run/pg"])
def test_a_database_without_a_file_has_its_keys_in_data(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = load(monkeypatch, DATABASE_URL=url)

    assert settings.sqlite_file is None
    assert parse_keys(Path("data/gatehouse.secret-keys").read_text().strip()) == settings.secret_keys


def test_keys_that_are_set_leave_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, SECRET_KEYS=write_keys(KEYS)).secret_keys == KEYS
    assert not Path("data").exists()


def test_a_spoilt_key_file_stops_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("data").mkdir()
    Path("data/gatehouse.secret-keys").write_text("hunter2")

    text = sentence(monkeypatch)

    assert "GATEHOUSE_SECRET_KEYS" in text
    assert "data/gatehouse.secret-keys" in text
    assert "hunter2" not in text


def test_likely_mistakes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **PRODUCTION, ARGON2_MEMORY_KIB="8192", GITHUB_CLIENT_ID="x")
    environ = {"GATEHOUSE_PLAYGROUD": "off", "GATEHOUSE_PORT": "1", "GATEHOUSE_UNRELATED_THING": "", "PLAYGROUD": ""}

    unknown, mail, argon2, github = setting_warnings(settings, environ)

    assert "GATEHOUSE_PLAYGROUD" in unknown
    assert "GATEHOUSE_PLAYGROUND?" in unknown
    assert "GATEHOUSE_MAIL_URL" in mail
    assert "GATEHOUSE_ARGON2_MEMORY_KIB" in argon2
    assert "GATEHOUSE_GITHUB_CLIENT_ID" in github


def test_defaults_deserve_no_warning() -> None:
    assert setting_warnings(Settings(), {}) == []


def test_settings_cannot_be_changed_or_misspelt() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]  # that is what must not work
    with pytest.raises(ValueError, match="not permitted"):
        Settings.model_validate({"playgroud": True})
