"""What the database itself keeps to: its settings, its foreign keys, its ids."""

from uuid import UUID

import pytest
from tortoise.connection import get_connection

from kit.errors import Unauthenticated
from kit.origin import Origin
from kit.settings import Settings
from models import Account
from models.base import Row
from models.database import CONNECTION, is_sqlite
from resolvers import sessions
from resolvers.callers import identify
from server import Gateway
from tests.features.test_api_keys import make
from tests.support.people import Person
from tests.support.stored import stored

CASCADES = """
SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'c' AND connamespace = 'public'::regnamespace
"""


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
        assert await rows(CASCADES) == []
        return
    tables = [row["name"] for row in await rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    keys = [key for table in tables for key in await rows(f"PRAGMA foreign_key_list({table})")]

    assert keys
    assert {key["on_delete"] for key in keys} == {"CASCADE"}


async def test_account_takes_all_of_its_rows_along_and_no_others(ann: Person, bob: Person) -> None:
    await make(bob)
    before = await stored()
    await make(ann, "one")
    await make(ann, "two")
    await Account.filter(email=ann.email).delete()

    after = await stored()
    # The mails that were sent stay until they are purged: they are of an address, not of an account.
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


async def test_step_up_for_an_account_that_went_meanwhile_is_nobodys(gateway: Gateway, ann: Person) -> None:
    assert gateway._services is not None
    caller = await identify(gateway._services, f"Bearer {ann.token}", Origin("198.51.100.7", "", ""))
    await Account.filter(email=ann.email).delete()

    with pytest.raises(Unauthenticated):
        await sessions.step_up(caller, password=ann.password, code=None, recovery_code=None)
