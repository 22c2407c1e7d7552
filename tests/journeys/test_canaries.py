"""No secret where it should not be (SC-3, LG-1 to LG-3): the whole API is used, then every byte is searched."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.features.test_api_keys import CREATE, RENAME, REVOKE, VIEWER
from tests.features.test_key_secrets import REPORT, ROTATE
from tests.support.gateway_process import running_gateway
from tests.support.graphql_client import Answer, GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import COMPLETE_SIGN_UP, SIGN_UP
from tests.support.sign_in import AUTHENTICATION, REFRESH, SIGN_OUT_EVERYWHERE, STEP_UP, try_password

pytestmark = pytest.mark.process

EMAIL = "canary@example.com"
PASSWORD = "canary-passphrase-7f3a91"
WRONG = "canary-wrong-passphrase-5be2"
FORGED = '{"event": "login_ok"}\u2028 [31m'
ENVIRONMENT = {
    "GATEHOUSE_LOG_LEVEL": "debug",
    "GATEHOUSE_LOG_FORMAT": "json",
    "GATEHOUSE_ARGON2_MEMORY_KIB": "64",
    "GATEHOUSE_ARGON2_TIME_COST": "1",
}


async def use_everything(http: httpx.AsyncClient, file: Path) -> tuple[dict[str, str], list[Answer]]:
    """Use every operation, well and badly; returns what must not be found anywhere, and the answers."""
    guest, mailbox = GraphQLClient(http), Mailbox(http)
    answers = [await guest.run(SIGN_UP, email=EMAIL, password=PASSWORD)]
    started = answers[-1].expect("SignUpStarted")
    code = await mailbox.code(EMAIL)
    answers.append(await guest.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code="999999"))
    answers.append(await guest.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code=code))
    session = answers[-1].expect("SessionStarted")["token"]
    person = guest.bearing(session)
    made = (await person.run(CREATE, name=FORGED.replace("\u2028", "")[:100])).expect("ApiKeyCreated")
    key_id = made["apiKey"]["id"]
    rotated = (await person.run(ROTATE, input={"id": key_id, "overlapSeconds": 60})).expect("ApiKeyRotated")
    secrets = {
        "password": PASSWORD,
        "wrong password": WRONG,
        "sign-up token": started["signUpToken"],
        "session": session,
    }
    secrets |= {"key": made["key"], "rotated key": rotated["key"]}
    for token in (made["key"], rotated["key"], session):
        answers += [await guest.bearing(token).run(document) for document in (VIEWER, AUTHENTICATION)]
    answers.append(await try_password(guest, EMAIL, WRONG))
    answers.append(await try_password(guest, PASSWORD, PASSWORD))
    answers.append(await try_password(guest, EMAIL, PASSWORD, headers={"user-agent": 'x" {"event": "login_ok"}'}))
    secrets["second session"] = answers[-1].expect("SessionStarted")["token"]
    answers.append(await person.run(STEP_UP, password=WRONG))
    answers.append(await person.run(RENAME, input={"id": key_id, "name": "named"}))
    answers.append(await guest.bearing(session + "x").run(AUTHENTICATION))
    answers.append(
        await person.run(f'mutation {{ logIn(input: {{email: "{EMAIL}", password: "{WRONG}"}}) {{ oops }} }}')
    )
    await http.get("/graphql", params={"query": f'{{ node(id: "{WRONG}") {{ id }} }}'})
    await http.post(
        "/graphql", content=f'{{"query": "{PASSWORD}'.encode(), headers={"content-type": "application/json"}
    )
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers.append(await try_password(guest, EMAIL, PASSWORD))
    answers.append(await guest.run(REPORT, key=made["key"]))
    answers.append(await person.run(REVOKE, ids=[key_id]))
    for document, name in ((REFRESH, "refreshed session"), (SIGN_OUT_EVERYWHERE, "last session")):
        answers.append(await person.run(document))
        secrets[name] = answers[-1].expect("SessionStarted")["token"]
    return secrets | {"code": code}, answers


async def test_no_secret_is_found_in_any_log_or_file(tmp_path: Path) -> None:
    file = tmp_path / "data/gatehouse.sqlite3"
    with running_gateway(tmp_path, ENVIRONMENT) as gateway:
        async with httpx.AsyncClient(base_url=gateway.base_url, timeout=20) as http:
            secrets, answers = await use_everything(http, file)
            # While it runs, so that the write-ahead log is searched as well.
            files = {path.name: path.read_bytes() for path in file.parent.iterdir()}
        gateway.stop()
        lines = [json.loads(line) for line in gateway.output.splitlines()]

    # The development outbox prints mails, texts and all: that is what it is for.
    said = [line for line in lines if line["event"] != "mail"]
    files["log"] = "\n".join(json.dumps(line, ensure_ascii=False) for line in said).encode()
    assert {"gatehouse.sqlite3", "gatehouse.sqlite3-wal", "log"} <= files.keys()
    # The search finds what is there.
    assert "address in gatehouse.sqlite3-wal" in set(places("address", EMAIL, files))
    assert [found for name, text in secrets.items() for found in places(name, text, files)] == []
    assert answers[-4].status in {200, 503}
    assert_log_tells_what_happened(said, answers)


def places(name: str, secret: str, files: dict[str, bytes]) -> Iterator[str]:
    """Where a secret stands, in whatever form."""
    parts = {secret, secret.rpartition(".")[2], secret.removeprefix("gate_")[:32]}
    for file, content in files.items():
        # Six digits stand in many a number; in the log they would stand on their own.
        if len(secret) == 6 and file != "log":
            continue
        for part in parts:
            raw = part.encode()
            forms = {raw, base64.b64encode(raw)[:-4], raw.hex().encode(), quote(part, safe="").encode()}
            yield from (f"{name} in {file}" for form in forms if len(form) >= 6 and stands_in(form, content))


def stands_in(form: bytes, content: bytes) -> bool:
    return form in content if len(form) > 6 else f'"{form.decode()}"'.encode() in content


def assert_log_tells_what_happened(said: list[dict[str, Any]], answers: list[Answer]) -> None:
    for line in said:
        assert {"event", "level", "logger", "timestamp"} <= line.keys()
        assert line["timestamp"].endswith("Z")
        assert line["event"] != "login_ok"
    events = [line for line in said if line["event"] == "security_event"]
    kinds = {line["kind"] for line in events}
    assert kinds >= {
        "SIGNED_UP",
        "SIGNED_IN",
        "SIGN_IN_FAILED",
        "API_KEY_CREATED",
        "API_KEY_ROTATED",
        "API_KEY_REVOKED",
    }
    ids = {answer.response.headers["x-request-id"] for answer in answers}
    assert {line["request_id"] for line in events if line["kind"] in {"SIGNED_UP", "SIGNED_IN"}} <= ids
    assert all(line["account"] and "address" in line for line in events)
