from pathlib import Path

from tortoise.migrations.autodetector import MigrationAutodetector

from models import database


async def test_models_hold_nothing_that_no_migration_brings(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'empty.sqlite3'}"
    context = await database.open_database(url)

    try:
        assert context.apps is not None
        needed = await MigrationAutodetector(context.apps, database.orm_config(url)["apps"]).changes()
    finally:
        await database.close_database(context)

    assert [repr(step) for migration in needed for step in migration.operations] == []
