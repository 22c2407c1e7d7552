"""Argon2 and its gate."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError

from kit.errors import Unavailable
from kit.passwords import Passwords, Verdict


@dataclass(frozen=True)
class Costs:
    """Settings as cheap as argon2 lets them be."""

    argon2_memory_kib: int = 8
    argon2_time_cost: int = 1
    argon2_parallelism: int = 1
    hashing_slots: int = 1
    hashing_queue: int = 64


SLOW = Costs(argon2_memory_kib=65_536, argon2_time_cost=2, hashing_queue=1)
WRONG = Verdict(matches=False, needs_rehash=False)


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    service = Passwords(Costs())
    yield service
    service.close()


async def test_a_password_matches_its_hash_and_nothing_else_does(passwords: Passwords) -> None:
    password_hash = await passwords.hash("correct horse")

    assert await passwords.verify(password_hash, "correct horse") == Verdict(matches=True, needs_rehash=False)
    for wrong in ("correct horse ", "Correct horse", "", "correct horse\0", "\ud800", "x" * 100_000):
        assert await passwords.verify(password_hash, wrong) == WRONG


async def test_hashes_are_argon2id_with_the_costs_that_are_set_and_a_salt_each() -> None:
    service = Passwords(Costs(argon2_memory_kib=64, argon2_time_cost=3, argon2_parallelism=2))

    first, second = [await service.hash("correct horse") for _ in range(2)]

    assert first.startswith("$argon2id$v=19$m=64,t=3,p=2$")
    assert first.split("$")[4] != second.split("$")[4]
    assert "correct" not in first
    service.close()


async def test_long_passwords_are_never_cut(passwords: Passwords) -> None:
    password_hash = await passwords.hash("a" * 255 + "b")

    assert (await passwords.verify(password_hash, "a" * 255 + "b")).matches
    for place in (72, 100, 254, 255):
        assert not (await passwords.verify(password_hash, ("a" * 255 + "b")[:place] + "c")).matches
    assert not (await passwords.verify(password_hash, "a" * 255)).matches


async def test_two_keyboards_spell_one_password(passwords: Passwords) -> None:
    password_hash = await passwords.hash("cr\u00e8me br\u00fbl\u00e9e")

    assert (await passwords.verify(password_hash, "cre\u0300me bru\u0302le\u0301e")).matches
    assert not (await passwords.verify(password_hash, "creme brulee")).matches


@pytest.mark.parametrize("raised", [Costs(argon2_memory_kib=16), Costs(argon2_time_cost=2)])
async def test_raised_costs_ask_for_a_new_hash_once_the_password_is_right(passwords: Passwords, raised: Costs) -> None:
    password_hash = await passwords.hash("correct horse")
    service = Passwords(raised)

    assert await service.verify(password_hash, "correct horse") == Verdict(matches=True, needs_rehash=True)
    assert await service.verify(password_hash, "wrong") == WRONG
    assert not (await service.verify(await service.hash("correct horse"), "correct horse")).needs_rehash
    service.close()


async def test_without_a_hash_nothing_matches_at_the_present_costs() -> None:
    costs = Costs(argon2_memory_kib=32, argon2_time_cost=2)
    service = Passwords(costs)

    dummy = extract_parameters(service._dummy_hash)
    real = extract_parameters(await service.hash("correct horse"))

    assert dummy == real
    assert await service.verify(None, "correct horse") == WRONG
    assert await service.verify(None, "") == WRONG
    service.close()


async def test_an_account_without_a_password_has_no_right_one_whatever_stands_in_for_it(passwords: Passwords) -> None:
    passwords._dummy_hash = await passwords.hash("correct horse")

    assert await passwords.verify(None, "correct horse") == WRONG


async def test_what_argon2_cannot_do_is_unavailable_and_no_wrong_password() -> None:
    service = Passwords(Costs(argon2_memory_kib=1))

    with pytest.raises(Unavailable):
        await service.hash("correct horse")
    with pytest.raises(Unavailable):
        await service.verify(None, "correct horse")
    service.close()


async def test_a_hash_that_is_none_is_a_bug_and_no_wrong_password(passwords: Passwords) -> None:
    with pytest.raises(InvalidHashError):
        await passwords.verify("plain text", "plain text")

    assert (await passwords.verify(await passwords.hash("still open"), "still open")).matches


async def test_too_many_at_once_are_told_so_at_once() -> None:
    service = Passwords(SLOW)
    admitted = [asyncio.ensure_future(service.hash("correct horse")) for _ in range(2)]
    await asyncio.sleep(0)

    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        await service.verify(None, "correct horse")

    assert time.monotonic() - began < 0.05
    assert refused.value.retry_after_seconds >= 1
    assert len(await asyncio.gather(*admitted)) == 2
    assert await service.verify(None, "correct horse") == WRONG
    service.close()


async def test_a_client_that_hangs_up_gives_its_place_back_only_when_its_hash_is_done() -> None:
    service = Passwords(Costs(hashing_queue=0))
    may_end = threading.Event()
    running = asyncio.ensure_future(service._run(blocking_until(may_end)))
    await asyncio.sleep(0)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(Unavailable):
        await service.hash("correct horse")

    may_end.set()
    service._threads.shutdown(wait=True)
    assert service._permits.acquire(blocking=False)


async def test_waiting_clients_that_hang_up_free_their_places() -> None:
    service = Passwords(Costs(hashing_queue=1))
    may_end = threading.Event()
    running = asyncio.ensure_future(service._run(blocking_until(may_end)))
    for _ in range(10):
        waiting = asyncio.ensure_future(service.hash("correct horse"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    may_end.set()
    assert await running == 0
    assert (await service.verify(await service.hash("correct horse"), "correct horse")).matches
    service.close()


async def test_after_close_it_is_unavailable(passwords: Passwords) -> None:
    passwords.close()

    with pytest.raises(Unavailable):
        await passwords.hash("correct horse")


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own elsewhere")
async def test_hashing_threads_let_the_event_loop_go_first(passwords: Passwords) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    theirs = await passwords._run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert theirs > ours or theirs == 19
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == ours


def blocking_until(may_end: threading.Event) -> Callable[[], int]:
    def job() -> int:
        may_end.wait(10)
        return 0

    return job
