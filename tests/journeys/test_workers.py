"""Four workers on one SQLite file: they share everything, wait for each other's writes, and end together."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.features.test_api_keys import CREATE, REVOKE, VIEWER
from tests.support.gateway_process import running_gateway
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, SIGN_UP, Person, sign_up
from tests.support.sign_in import AUTHENTICATION, SIGN_OUT_EVERYWHERE, try_password

pytestmark = [pytest.mark.process, pytest.mark.slow]

RENAME = "mutation ($id: ID!, $name: String!) { renameApiKey(input: {id: $id, name: $name}) { __typename } }"
ENVIRONMENT = {
    "GATEHOUSE_WORKERS": "4",
    "GATEHOUSE_ARGON2_MEMORY_KIB": "64",
    "GATEHOUSE_ARGON2_TIME_COST": "1",
    "GATEHOUSE_LOG_LEVEL": "warning",
}


async def at_every_worker(
    base_url: str, token: str | None, document: str, times: int, **variables: Any
) -> list[Answer]:
    """Requests at once, each on a connection of its own, so that the workers share them."""
    async with httpx.AsyncClient(
        base_url=base_url, headers={"connection": "close"}, limits=httpx.Limits(max_keepalive_connections=0), timeout=20
    ) as http:
        client = GraphQLClient(http, token)
        return list(await asyncio.gather(*(client.run(document, **variables) for _ in range(times))))


async def test_four_workers_are_one_gateway(tmp_path: Path) -> None:
    with running_gateway(tmp_path, ENVIRONMENT) as gateway:
        async with httpx.AsyncClient(base_url=gateway.base_url, timeout=20) as http:
            ann = await sign_up(GraphQLClient(http), Mailbox(http))
            await revoking_bites_everywhere(gateway.base_url, ann)
            ann = await signing_out_bites_everywhere(gateway.base_url, ann)
            await writers_wait_for_each_other(gateway.base_url, ann, tmp_path / "data/gatehouse.sqlite3")
            await guesses_are_counted_together(gateway.base_url, ann)
        exit_code = gateway.stop()
        said = gateway.output

    assert exit_code == 0
    assert "Traceback" not in said
    assert "locked" not in said


async def test_what_one_worker_mails_any_worker_shows(tmp_path: Path) -> None:
    with running_gateway(tmp_path, ENVIRONMENT | {"GATEHOUSE_RATE_LIMITS": "off"}) as gateway:
        # No connection is kept, so that sign-up and outbox mostly meet different workers.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=gateway.base_url, limits=limits, timeout=20) as http:
            mailbox = Mailbox(http)
            for number in range(60):
                email = f"person{number}@example.com"
                (await GraphQLClient(http).run(SIGN_UP, email=email, password=PASSWORD)).expect("SignUpStarted")

                assert len(await mailbox.mails(email)) == 1


async def revoking_bites_everywhere(base_url: str, ann: Person) -> None:
    made = (await ann.client.run(CREATE, name="short-lived")).expect("ApiKeyCreated")
    before = await at_every_worker(base_url, made["key"], VIEWER, 24)
    (await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]])).expect("ApiKeysRevoked")
    after = await at_every_worker(base_url, made["key"], VIEWER, 24)

    assert {answer.status for answer in before} == {200}
    assert {answer.status for answer in after} == {401}


async def signing_out_bites_everywhere(base_url: str, ann: Person) -> Person:
    new = (await ann.client.run(SIGN_OUT_EVERYWHERE)).expect("SessionStarted")["token"]
    old = await at_every_worker(base_url, ann.token, AUTHENTICATION, 24)
    own = await at_every_worker(base_url, new, AUTHENTICATION, 24)

    assert {answer.status for answer in old} == {401}
    assert {answer.status for answer in own} == {200}
    return Person(ann.email, ann.password, ann.account_id, new, ann.client.bearing(new))


async def writers_wait_for_each_other(base_url: str, ann: Person, file: Path) -> None:
    """What was acknowledged stands in the database, and nothing else: no lost write, no half one."""
    rounds = [await at_every_worker(base_url, ann.token, CREATE, 24, name=f"round {one}") for one in range(4)]
    made = [answer.root for answers in rounds for answer in answers if answer.status == 200]
    statuses = {answer.status for answers in rounds for answer in answers}
    key_id = made[0]["apiKey"]["id"]
    renamed = await at_every_worker(base_url, ann.token, RENAME, 24, id=key_id, name="renamed by all")

    assert statuses <= {200, 503}
    assert {answer.status for answer in renamed} <= {200, 503}
    assert {one["__typename"] for one in made} == {"ApiKeyCreated"}
    # 503 is for a machine that is slower than the patience of a writer; most get their turn.
    assert len(made) >= 48
    with closing(sqlite3.connect(file)) as database:
        count = {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names stand below
            for table in ("api_keys", "api_key_secrets")
        }
        events = database.execute("SELECT count(*) FROM security_events WHERE kind = 'API_KEY_CREATED'").fetchone()[0]
        mails = database.execute("SELECT count(*) FROM outgoing_mails").fetchone()[0]
    assert count == {"api_keys": len(made), "api_key_secrets": len(made)}
    # One more key was made and revoked before; and one mail had the sign-up's code.
    assert events == len(made) + 1
    assert mails == len(made) + 2


async def guesses_are_counted_together(base_url: str, ann: Person) -> None:
    async with httpx.AsyncClient(base_url=base_url, headers={"connection": "close"}, timeout=20) as http:
        guesses = [try_password(GraphQLClient(http), ann.email, "wrong passphrase") for _ in range(40)]
        answers = await asyncio.gather(*guesses)
        after = await try_password(GraphQLClient(http), ann.email, PASSWORD)

    kinds = [answer.root["__typename"] for answer in answers if answer.status == 200]
    assert kinds.count("InvalidCredentials") <= 10
    assert set(kinds) == {"InvalidCredentials", "TooManyAttempts"}
    after.expect("TooManyAttempts")
