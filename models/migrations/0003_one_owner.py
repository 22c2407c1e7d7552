"""The owner of a fleet is a member of it. Written by hand: the ORM knows no triggers, and each database has its own words.

That there is one owner, and never two, is kept by `fleets.owner_id` itself: a column that is NOT NULL holds one value.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops


class RunSQLOn(ops.RunSQL):
    """Runs on one kind of database only, each statement as it stands: the ORM's own would cut a trigger's body in two."""

    def __init__(self, dialect: str, sql: list[str], reverse_sql: list[str]) -> None:
        super().__init__(sql, reverse_sql=reverse_sql)
        self.dialect = dialect

    async def _run_sql(self, state_editor, sqls) -> None:
        if state_editor.client.capabilities.dialect != self.dialect:
            return
        for sql in sqls:
            if state_editor.collect_sql:
                state_editor.collected_sql.append(sql)
            else:
                await state_editor.client.execute_query(sql)


SQLITE = [
    """
    CREATE TRIGGER owner_stays_a_member BEFORE DELETE ON memberships
    WHEN EXISTS (SELECT 1 FROM fleets WHERE id = OLD.fleet_id AND owner_id = OLD.account_id)
    BEGIN
        SELECT RAISE(ABORT, 'the owner of a fleet is a member of it');
    END
    """,
    """
    CREATE TRIGGER owner_stays_the_same_member BEFORE UPDATE OF fleet_id, account_id ON memberships
    WHEN OLD.fleet_id <> NEW.fleet_id OR OLD.account_id <> NEW.account_id
    BEGIN
        SELECT RAISE(ABORT, 'a membership is never passed on');
    END
    """,
    """
    CREATE TRIGGER new_owner_is_a_member BEFORE UPDATE OF owner_id ON fleets
    WHEN NOT EXISTS (SELECT 1 FROM memberships WHERE fleet_id = NEW.id AND account_id = NEW.owner_id)
    BEGIN
        SELECT RAISE(ABORT, 'the owner of a fleet is a member of it');
    END
    """,
]

POSTGRES = [
    """
    CREATE FUNCTION owner_stays_a_member() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        present_owner uuid;
    BEGIN
        -- The lock keeps the owner from changing to this member meanwhile.
        SELECT owner_id INTO present_owner FROM fleets WHERE id = OLD.fleet_id FOR SHARE;
        IF present_owner = OLD.account_id THEN
            RAISE integrity_constraint_violation USING MESSAGE = 'the owner of a fleet is a member of it';
        END IF;
        RETURN OLD;
    END $$
    """,
    """
    CREATE TRIGGER owner_stays_a_member BEFORE DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION owner_stays_a_member()
    """,
    """
    CREATE FUNCTION a_membership_is_never_passed_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE integrity_constraint_violation USING MESSAGE = 'a membership is never passed on';
    END $$
    """,
    """
    CREATE TRIGGER owner_stays_the_same_member BEFORE UPDATE OF fleet_id, account_id ON memberships
    FOR EACH ROW WHEN (OLD.fleet_id <> NEW.fleet_id OR OLD.account_id <> NEW.account_id)
    EXECUTE FUNCTION a_membership_is_never_passed_on()
    """,
    """
    CREATE FUNCTION new_owner_is_a_member() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM memberships WHERE fleet_id = NEW.id AND account_id = NEW.owner_id) THEN
            RAISE integrity_constraint_violation USING MESSAGE = 'the owner of a fleet is a member of it';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER new_owner_is_a_member BEFORE UPDATE OF owner_id ON fleets
    FOR EACH ROW EXECUTE FUNCTION new_owner_is_a_member()
    """,
]

DROP_SQLITE = [
    "DROP TRIGGER new_owner_is_a_member",
    "DROP TRIGGER owner_stays_the_same_member",
    "DROP TRIGGER owner_stays_a_member",
]
DROP_POSTGRES = [
    "DROP FUNCTION new_owner_is_a_member CASCADE",
    "DROP FUNCTION a_membership_is_never_passed_on CASCADE",
    "DROP FUNCTION owner_stays_a_member CASCADE",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0002_one_present_secret")]

    operations = [RunSQLOn("sqlite", SQLITE, DROP_SQLITE), RunSQLOn("postgres", POSTGRES, DROP_POSTGRES)]
