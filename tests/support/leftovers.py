"""Looking through every table for what is left of an account, without knowing any of them."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.connection import get_connection

from models.database import CONNECTION

TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgres": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
}


def traces_of(account_id: UUID, email: str) -> list[str]:
    """All spellings in which a row could hold the account."""
    return [str(account_id), account_id.hex, email.lower()]


async def tables() -> list[str]:
    """All that the database has, so that one that is added later is looked through by itself."""
    connection = get_connection(CONNECTION)
    rows = await connection.execute_query_dict(TABLES[connection.capabilities.dialect])
    return sorted(row["name"] for row in rows)


async def leftovers(traces: Sequence[str]) -> list[str]:
    """Every row of every table in which one of these stands, in whatever column."""
    connection = get_connection(CONNECTION)
    found = []
    for table in await tables():
        for row in await connection.execute_query_dict(f'SELECT * FROM "{table}"'):  # noqa: S608 - a table's name
            text = str({column: str(value) for column, value in row.items()}).lower()
            found += [f"{table}: {text}" for trace in traces if trace in text]
    return found
