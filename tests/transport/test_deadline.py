"""The deadline of a request, which only one that waits has to heed."""

import asyncio

import pytest

from transport.deadline import Deadline


async def nothing() -> str:
    return "done"


async def test_work_that_never_waits_is_given_back_at_once() -> None:
    deadline = Deadline(0)

    assert await deadline.keep(nothing()) == "done"
    assert not deadline.has_passed


async def test_work_that_waits_goes_on_where_it_was() -> None:
    async def work() -> list[object]:
        seen: list[object] = [asyncio.current_task()]
        for number in range(3):
            await asyncio.sleep(0)
            seen.append(await asyncio.gather(asyncio.sleep(0, number), nothing()))
        return seen

    assert await Deadline(10).keep(work()) == [asyncio.current_task(), [0, "done"], [1, "done"], [2, "done"]]


async def test_work_past_the_deadline_is_cancelled() -> None:
    undone = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            undone.append("undone")

    deadline = Deadline(0.01)
    with pytest.raises(TimeoutError):
        await deadline.keep(work())

    assert deadline.has_passed
    assert undone == ["undone"]


async def test_pieces_of_work_share_the_deadline() -> None:
    deadline = Deadline(0.01)
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        await deadline.keep(asyncio.Event().wait())

    began = loop.time()
    with pytest.raises(TimeoutError):
        await deadline.keep(asyncio.Event().wait())

    assert loop.time() - began < 0.01


async def test_another_s_timeout_is_none_of_the_deadline() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise TimeoutError

    deadline = Deadline(10)
    with pytest.raises(TimeoutError):
        await deadline.keep(work())

    assert not deadline.has_passed


async def test_an_exception_reaches_the_work_and_what_it_raises_gets_out() -> None:
    async def work() -> str:
        try:
            await asyncio.gather(failing())
        except KeyError:
            return "caught"
        return "missed"

    async def failing() -> None:
        await asyncio.sleep(0)
        raise KeyError

    assert await Deadline(10).keep(work()) == "caught"


async def test_who_is_cancelled_cancels_the_work() -> None:
    undone = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            undone.append("undone")

    deadline = Deadline(10)
    task = asyncio.create_task(deadline.keep(work()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert undone == ["undone"]
    assert not deadline.has_passed
