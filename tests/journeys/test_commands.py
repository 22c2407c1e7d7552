"""The command line: what stops a start and what is said then, migrating, checking, purging, sealing anew."""

import secrets
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from kit import clock
from kit.keyring import Keyring
from kit.secret_keys import write_keys
from kit.text import Email
from models import PendingSignUp, database
from tests.support.gateway_process import GatewayProcess, running_gateway
from tests.support.services import HOST, PATIENCE_SECONDS, free_port

pytestmark = pytest.mark.process

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)
PRODUCTION = {
    "GATEHOUSE_ENVIRONMENT": "production",
    "GATEHOUSE_SECRET_KEYS": write_keys([OLD]),
    "GATEHOUSE_PUBLIC_URL": "https://accounts.example.org",
}
NO_MANIFEST = str(Path(__file__).parents[2] / "README.md")
SQLITE_FILE = "data/gatehouse.sqlite3"

REFUSALS = {
    "secrets missing": ({"GATEHOUSE_SECRET_KEYS": ""}, "GATEHOUSE_SECRET_KEYS must be set in production"),
    "several wrong": (
        {"GATEHOUSE_WORKERS": "none", "GATEHOUSE_PORT": "-1"},
        "GATEHOUSE_WORKERS must be a whole number.",
    ),
    "database behind": ({}, "run `python server.py migrate`"),
    "database behind, two workers": ({"GATEHOUSE_WORKERS": "2"}, "run `python server.py migrate`"),
    "folder that cannot be": (
        {"GATEHOUSE_DATABASE_URL": "sqlite:///dev/null/x.sqlite3"},
        "The database is unavailable",
    ),
    "host that there isn't": ({"GATEHOUSE_HOST": "nohost.invalid"}, "GATEHOUSE_HOST and GATEHOUSE_PORT: cannot listen"),
    "host of another machine": ({"GATEHOUSE_HOST": "192.0.2.1"}, "GATEHOUSE_HOST and GATEHOUSE_PORT: cannot listen"),
    "manifest that is none": (
        {"GATEHOUSE_TRUSTED_DOCUMENTS": NO_MANIFEST},
        "GATEHOUSE_TRUSTED_DOCUMENTS cannot be used: the manifest",
    ),
    "manifest that is none, three workers": (
        {"GATEHOUSE_TRUSTED_DOCUMENTS": NO_MANIFEST, "GATEHOUSE_WORKERS": "3"},
        "GATEHOUSE_TRUSTED_DOCUMENTS cannot be used: the manifest",
    ),
    "postgres away": (
        {"GATEHOUSE_DATABASE_URL": f"postgres://someone:hunter2@127.0.0.1:{free_port()}/x"},
        "The database is unavailable",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), REFUSALS.values(), ids=REFUSALS.keys())
def test_production_does_not_start_and_says_why(tmp_path: Path, changes: dict[str, str], sentence: str) -> None:
    refused = GatewayProcess(tmp_path, PRODUCTION | changes).run("serve")

    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hunter2" not in refused.stderr
    assert PRODUCTION["GATEHOUSE_SECRET_KEYS"] not in refused.stderr


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> GatewayProcess:
    """A folder whose database is up to date, and the commands that were run to get there."""
    gateway = GatewayProcess(tmp_path_factory.mktemp("migrated"), PRODUCTION)
    behind = gateway.run("check")
    first, second = gateway.run("migrate"), gateway.run("migrate")
    assert (behind.returncode, first.returncode, second.returncode) == (1, 0, 0), first.stderr
    assert "run `python server.py migrate`" in behind.stdout
    assert "0001_initial" in first.stdout
    assert second.stdout == "[]\n"
    return gateway


def test_migrated_database_passes_the_check_and_is_served(migrated: GatewayProcess) -> None:
    checked = migrated.run("check")
    with running_gateway(migrated.folder, PRODUCTION) as served:
        exit_code = served.stop()

    assert (checked.returncode, checked.stdout) == (0, "Everything answers.\n")
    assert exit_code == 0


def test_check_names_each_thing_that_is_away(migrated: GatewayProcess) -> None:
    changes = {"GATEHOUSE_REDIS_URL": f"redis://:hunter2@127.0.0.1:{free_port()}/0"}
    checked = GatewayProcess(migrated.folder, PRODUCTION | changes).run("check")

    assert checked.returncode == 1
    assert checked.stdout.startswith("redis: The store of attempt counters is unavailable")
    assert "Traceback" not in checked.stderr
    assert "hunter2" not in checked.stdout + checked.stderr


def test_check_reads_the_manifest(migrated: GatewayProcess) -> None:
    checked = GatewayProcess(migrated.folder, PRODUCTION | {"GATEHOUSE_TRUSTED_DOCUMENTS": NO_MANIFEST}).run("check")

    assert checked.returncode == 1
    assert "GATEHOUSE_TRUSTED_DOCUMENTS cannot be used: the manifest is not JSON in UTF-8." in checked.stdout


@pytest.mark.parametrize("command", ["purge", "rotate-secrets"])
@pytest.mark.parametrize("environment", [PRODUCTION, {}], ids=["production", "development"])
def test_upkeep_of_a_database_that_is_behind_names_the_command(
    tmp_path: Path, command: str, environment: dict[str, str]
) -> None:
    refused = GatewayProcess(tmp_path, environment).run(command)

    assert refused.returncode == 1
    assert "run `python server.py migrate`" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_second_gateway_on_a_port_is_told_so(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as first:
        refused = GatewayProcess(tmp_path, {"GATEHOUSE_PORT": str(first.port)}).run("serve")

    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {first.port}: Address already in use." in refused.stderr


async def test_purging_removes_what_has_expired_and_says_how_much(migrated: GatewayProcess) -> None:
    context = await database.open_database(f"sqlite://{migrated.folder / SQLITE_FILE}")
    live = await pending_sign_up("live")
    clock.shift(timedelta(days=-1))
    await pending_sign_up("expired")
    clock.reset()

    purged = migrated.run("purge")

    left = await PendingSignUp.all()
    await database.close_database(context)
    assert purged.returncode == 0, purged.stderr
    assert "'pending_sign_ups': 1" in purged.stdout
    assert [row.id for row in left] == [live.id]


async def pending_sign_up(name: str) -> PendingSignUp:
    email = Email(f"{name}@example.com", f"{name}@example.com")
    row, _ = await PendingSignUp.start(email, password_hash="-", code="123456", keyring=Keyring([OLD]))
    return row


def test_secrets_are_sealed_anew_under_the_newest_key(migrated: GatewayProcess) -> None:
    rotated = GatewayProcess(migrated.folder, PRODUCTION | {"GATEHOUSE_SECRET_KEYS": write_keys([NEW, OLD])})

    sealed = rotated.run("rotate-secrets")

    assert sealed.returncode == 0, sealed.stderr
    assert "outgoing_mails" in sealed.stdout


def test_schema_needs_no_settings(tmp_path: Path) -> None:
    printed = GatewayProcess(tmp_path, {"GATEHOUSE_PORT": "wrong"}).run("schema")

    assert printed.returncode == 0
    assert printed.stdout == (Path(__file__).parents[2] / "schema/schema.graphql").read_text()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_the_server_answers_by_itself_asks_for_tls_where_the_public_url_has_it(
    tmp_path: Path, workers: str
) -> None:
    environment = {"GATEHOUSE_PUBLIC_URL": "https://accounts.example.org", "GATEHOUSE_WORKERS": workers}
    with (
        running_gateway(tmp_path, environment) as gateway,
        socket.create_connection((HOST, gateway.port), PATIENCE_SECONDS) as client,
    ):
        client.sendall(b"FOO /graphql HTTP/1.1\r\nhost: accounts.example.org\r\n\r\n")
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nstrict-transport-security: max-age=63072000" in answer
