"""Whether reads stay as fast in an installation of a million accounts with five keys each."""

import sqlite3
from pathlib import Path

import asyncpg

from benchmarks import served
from benchmarks.load import load_one
from benchmarks.reads import Pace, postgres_database
from benchmarks.table import Line, ratio
from tests.support.gateway_process import GatewayProcess

FEW = 1_000
KEYS_EACH = 5
_UUID_SQLITE = "substr(h,1,8)||'-'||substr(h,9,4)||'-7'||substr(h,14,3)||'-8'||substr(h,18,3)||'-'||substr(h,21,12)"
_TABLES = ("accounts", "api_keys", "api_key_secrets")


async def beside(folder: Path, pace: Pace, accounts: int) -> list[Line]:
    """On either database: two gateways, one with few accounts and one with many, read in turn."""
    lines = []
    few, many = folder / "few", folder / "many"
    for path in (few, many):
        path.mkdir()
    with served.gateway(few) as small, served.gateway(many) as big:
        users = [await _filled_sqlite(small, FEW), await _filled_sqlite(big, accounts)]
        lines += await _compare("SQLite", users, pace, accounts)
    async with postgres_database() as small_url, postgres_database() as big_url:
        with served.gateway(few, small_url) as small, served.gateway(many, big_url) as big:
            users = [await _filled_postgres(small, small_url, FEW), await _filled_postgres(big, big_url, accounts)]
            lines += await _compare("PostgreSQL", users, pace, accounts)
    return lines


async def _compare(database: str, users: list[served.User], pace: Pace, accounts: int) -> list[Line]:
    lines = []
    for how in (served.User.by_session, served.User.by_key):
        ratios = []
        for _ in range(pace.rounds):
            few, many = [(await load_one(how(user), pace.seconds)).rate for user in users]
            ratios.append(many / few)
        what = "a session token" if how is served.User.by_session else "an API key"
        lines.append(ratio(f"viewer with {what}, {database}, {accounts:,} accounts ÷ {FEW:,}", "≥ 0.9", ratios))
    return lines


async def _filled_sqlite(process: GatewayProcess, accounts: int) -> served.User:
    """Rows are copies of the one user's, so that this needs to know none of their columns but the unique ones."""
    user = await served.a_user(process)
    with sqlite3.connect(process.folder / "data" / "gatehouse.sqlite3", timeout=60) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        columns = {table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in _TABLES}
        connection.execute(_numbers_sqlite("account_ids", accounts))
        connection.execute(_numbers_sqlite("key_ids", accounts * KEYS_EACH))
        for statement in _copies(columns, "lower(hex(randomblob(32)))", accounts):
            connection.execute(statement)
        connection.commit()
        connection.execute("ANALYZE")
    return user


async def _filled_postgres(process: GatewayProcess, url: str, accounts: int) -> served.User:
    user = await served.a_user(process)
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        )
        columns = {table: [row["column_name"] for row in rows if row["table_name"] == table] for table in _TABLES}
        await connection.execute(_numbers_postgres("account_ids", accounts))
        await connection.execute(_numbers_postgres("key_ids", accounts * KEYS_EACH))
        digest = "encode(sha256(key_ids.id::text::bytea), 'hex')"
        for statement in _copies(columns, digest, accounts):
            await connection.execute(statement)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return user


def _numbers_sqlite(table: str, count: int) -> str:
    random = "lower(hex(randomblob(16)))"
    numbers = f"SELECT 1, {random} UNION ALL SELECT number + 1, {random} FROM n WHERE number < {count}"
    ids = f"WITH RECURSIVE n(number, h) AS ({numbers}) SELECT number, {_UUID_SQLITE} AS id FROM n"
    return f"CREATE TEMP TABLE {table} AS {ids}"


def _numbers_postgres(table: str, count: int) -> str:
    return (
        f"CREATE TEMP TABLE {table} AS SELECT number, gen_random_uuid() AS id FROM generate_series(1, {count}) number"
    )


def _copies(columns: dict[str, list[str]], digest: str, accounts: int) -> list[str]:
    """The statements that fill the tables, from the ids in `account_ids` and `key_ids`."""
    email = "'user' || account_ids.number || '@example.org'"
    owner = f"JOIN account_ids ON account_ids.number = 1 + key_ids.number % {accounts}"
    return [
        _copy("accounts", columns, {"id": "account_ids.id", "email": email, "email_canonical": email}, "account_ids"),
        _copy("api_keys", columns, {"id": "key_ids.id", "account_id": "account_ids.id"}, f"key_ids {owner}"),
        _copy(
            "api_key_secrets", columns, {"id": "key_ids.id", "api_key_id": "key_ids.id", "digest": digest}, "key_ids"
        ),
    ]


def _copy(table: str, columns: dict[str, list[str]], changed: dict[str, str], source: str) -> str:
    values = ", ".join(changed.get(column, f"template.{column}") for column in columns[table])
    names = ", ".join(columns[table])
    return (
        f"INSERT INTO {table} ({names}) SELECT {values} "
        f"FROM (SELECT * FROM {table} LIMIT 1) template CROSS JOIN {source}"
    )
