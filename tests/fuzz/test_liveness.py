"""How long a gateway makes others wait while hostile documents come at it."""

import asyncio
import itertools
import sys
import time
from pathlib import Path

import httpx
import pytest

from schema import schema
from tests.fuzz.hostile import hostile_bodies
from tests.support.gateway_process import running_gateway

SECONDS = 5.0
ATTACKERS = 4
LONGEST_WAIT_SECONDS = 2.0


@pytest.mark.process
@pytest.mark.slow
async def test_others_are_answered_while_hostile_documents_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_gateway(tmp_path) as gateway:
        async with httpx.AsyncClient(base_url=gateway.base_url, timeout=30) as http:
            until = time.monotonic() + SECONDS
            attacks = [asyncio.create_task(_attack(http, until)) for _ in range(ATTACKERS)]
            waits = await _waits(http, until)
            counts = await asyncio.gather(*attacks)

    with capsys.disabled():
        median = sorted(waits)[len(waits) // 2]
        figures = f"{1_000 * median:.0f} ms median, {1_000 * max(waits):.0f} ms worst"
        sys.stdout.write(f"\nliveness during {sum(counts)} hostile documents: {figures} of {len(waits)} checks\n")
    assert sum(counts) > ATTACKERS
    assert max(waits) < LONGEST_WAIT_SECONDS


async def _attack(http: httpx.AsyncClient, until: float) -> int:
    """Sends one hostile document after the other; gives how many were answered as they should be."""
    answered = 0
    for body in itertools.cycle(hostile_bodies(schema._schema)):
        if time.monotonic() > until:
            break
        answer = await http.post("/graphql", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in {200, 400, 413}, answer.text
        answered += 1
    return answered


async def _waits(http: httpx.AsyncClient, until: float) -> list[float]:
    waits = []
    while (began := time.monotonic()) < until:
        assert (await http.get("/healthz")).is_success
        waits.append(time.monotonic() - began)
    return waits
