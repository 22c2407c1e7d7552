"""The first start: several at once, and one that ended in the middle."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from tests.support.gateway_process import SERVER, GatewayProcess, running_gateway
from tests.support.services import wait_until

pytestmark = pytest.mark.process

FILE = Path("data/gatehouse.sqlite3")
DIES_IN_BETWEEN = """
import asyncio, os, sys
from tortoise.migrations.recorder import MigrationRecorder
from models import database

async def die(*_): os._exit(9)

async def migrate():
    await database.open_database("sqlite://data/gatehouse.sqlite3")
    MigrationRecorder.record_applied = die
    await database.migrate()

asyncio.run(migrate())
"""


def test_several_at_once_on_a_new_folder_all_come_up(tmp_path: Path) -> None:
    with ExitStack() as stack:
        gateways = [GatewayProcess(tmp_path) for _ in range(3)]
        for gateway in gateways:
            stack.callback(gateway.kill)
            gateway.spawn()
        for gateway in gateways:
            wait_until(gateway.is_ready, partial(_has_ended, gateway), said=gateway.log)

    assert "Traceback" not in gateways[0].output


def _has_ended(gateway: GatewayProcess) -> bool:
    return not gateway.is_running


def test_migration_that_died_leaves_nothing_behind(tmp_path: Path) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIES_IN_BETWEEN],
        cwd=_with_a_data_folder(tmp_path),
        env=os.environ | {"PYTHONPATH": str(SERVER.parent)},
        check=False,
    )
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    migrated = GatewayProcess(tmp_path).run("migrate")

    assert died.returncode == 9
    assert tables == []
    assert migrated.returncode == 0, migrated.stderr
    assert "0001_initial" in migrated.stdout


def _with_a_data_folder(folder: Path) -> Path:
    (folder / FILE).parent.mkdir()
    return folder


def test_what_is_stored_is_its_owner_s_alone(tmp_path: Path) -> None:
    with running_gateway(tmp_path):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / FILE).parent.iterdir()}

    assert modes.keys() >= {"gatehouse.sqlite3", "gatehouse.sqlite3-wal", "gatehouse.secret-keys"}
    assert set(modes.values()) == {0o600}
