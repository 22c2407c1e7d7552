"""What the database itself keeps to: its settings, its foreign keys, its ids."""

from uuid import UUID

from tortoise.connection import get_connection

from kit.settings import Settings
from models import Account
from models.base import Row
from models.database import CONNECTION, is_sqlite
from process.gateway import Gateway
from tests.features.test_api_keys import make
from tests.support.people import Person
from tests.support.stored import stored

CASCADES = """
SELECT conrelid::regclass::text AS name FROM pg_constraint
WHERE contype = 'f' AND confdeltype <> 'c' AND connamespace = 'public'::regnamespace
"""
INDEXES = {
    "sqlite": """
SELECT t.name AS "table", (SELECT group_concat(c.name) FROM pragma_index_info(i.name) c) AS columns
FROM sqlite_master t JOIN pragma_index_list(t.name) i WHERE t.type = 'table'
""",
    "postgres": """
SELECT indrelid::regclass::text AS "table", (
    SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(indkey) WITH ORDINALITY AS key (number, place)
    JOIN pg_attribute ON attrelid = indrelid AND attnum = number
) AS columns
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace
""",
}
DELIBERATE = {"fleets"}
"""A fleet never loses its owner by the way: whoever removes the account removes the fleet first."""


async def rows(statement: str) -> list[dict[str, object]]:
    return [dict(row) for row in await get_connection(CONNECTION).execute_query_dict(statement)]


async def test_sqlite_is_opened_as_an_account_store_needs_it(gateway: Gateway, settings: Settings) -> None:
    if not is_sqlite(settings.database_url):
        # PostgreSQL's own defaults are what is needed: its write-ahead log is flushed before a commit is answered.
        assert (await rows("SELECT boot_val FROM pg_settings WHERE name = 'synchronous_commit'")) == [
            {"boot_val": "on"}
        ]
        return
    found = {name: (await rows(f"PRAGMA {name}"))[0][name] for name in ("journal_mode", "synchronous", "foreign_keys")}

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_every_foreign_key_cascades_in_the_database(gateway: Gateway, settings: Settings) -> None:
    if not is_sqlite(settings.database_url):
        assert {row["name"] for row in await rows(CASCADES)} <= DELIBERATE
        return
    tables = [row["name"] for row in await rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    keys = [(table, key["on_delete"]) for table in tables for key in await rows(f"PRAGMA foreign_key_list({table})")]

    assert keys
    assert {table for table, on_delete in keys if on_delete != "CASCADE"} <= DELIBERATE


async def test_every_index_of_the_models_is_there(gateway: Gateway) -> None:
    wanted = set()
    for model in Row.__subclasses__():
        meta = model._meta
        lists = [
            index if isinstance(index, tuple) else index.fields for index in (*meta.indexes, *meta.unique_together)
        ]
        lists += [
            (name,) for name, field in meta.fields_map.items() if field.index and name in meta.fields_db_projection
        ]
        wanted |= {(meta.db_table, ",".join(meta.fields_db_projection[name] for name in names)) for names in lists}

    found = {(row["table"], row["columns"]) for row in await rows(INDEXES[dialect()])}

    assert ("outgoing_mails", "account_digest") in wanted
    assert wanted - found == set()


def dialect() -> str:
    return get_connection(CONNECTION).capabilities.dialect


async def test_account_takes_all_of_its_rows_along_and_no_others(ann: Person, bob: Person) -> None:
    await make(bob)
    before = await stored()
    await make(ann, "one")
    await make(ann, "two")
    await Account.filter(email=ann.email).delete()

    after = await stored()
    # Mails refer to no row: `deleteAccount` removes them, and not the database by itself.
    assert {**after, "OutgoingMail": 0} == {
        **before,
        "OutgoingMail": 0,
        "Account": 1,
        "SecurityEvent": before["SecurityEvent"] - 1,
        "SignInOrigin": before["SignInOrigin"] - 1,
    }


async def test_delete_counts_what_was_asked_for(ann: Person) -> None:
    await make(ann)

    assert await Account.filter(email=ann.email).delete() == 1
    assert await Account.filter(email=ann.email).delete() == 0


async def test_ids_are_random_and_sort_by_time(ann: Person, bob: Person) -> None:
    made: list[UUID] = []
    for model in Row.__subclasses__():
        made += [row.id for row in await model.all().order_by("created_at")]

    assert {one.version for one in made} == {7}
    assert len({one.int & (1 << 62) - 1 for one in made}) == len(made)
    accounts = [account.id for account in await Account.all().order_by("created_at")]
    assert accounts == sorted(accounts)
