"""Places for sockets, of which no client gets them all, and the time that a guest may hold one for nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.served import served
from tests.support.waiting import eventually
from tests.transport.service import Service, make_service
from tests.transport.socket_client import close_code, connection, receive, send, send_raw
from transport.socket_limits import Limits, Places

GOOD = {"Authorization": "Bearer good"}
BY_PROXY = ("127.0.0.1",)
HERE, THERE = "192.0.2.1", "192.0.2.2"
ACKNOWLEDGED, ANSWERED = {"type": "connection_ack"}, {"type": "pong"}


async def test_sockets_at_once_are_bounded() -> None:
    async with _served(sockets=1) as (_, port), _from(port, HERE) as first, _from(port, THERE) as second:
        code = await close_code(second)

        assert await _introduced(first) == ACKNOWLEDGED
    assert code == 1013


async def test_guests_of_one_client_leave_places_to_others() -> None:
    async with (
        _served(guests_of_a_client=2) as (_, port),
        _from(port, HERE) as silent,
        _from(port, HERE) as introduced,
        _from(port, HERE) as third,
        _from(port, THERE) as other,
    ):
        code = await close_code(third)

        assert await _introduced(introduced) == ACKNOWLEDGED
        assert await _introduced(other) == ACKNOWLEDGED
        assert await _introduced(silent) == ACKNOWLEDGED
    assert code == 1013


async def test_introduced_guest_still_takes_a_place() -> None:
    async with _served(guests_of_a_client=1) as (_, port), _from(port, HERE) as first:
        await _introduced(first)
        async with _from(port, HERE) as second:
            assert await close_code(second) == 1013


async def test_signed_in_caller_takes_no_guests_place() -> None:
    async with _served(guests_of_a_client=1) as (_, port), _from(port, HERE) as person:
        await _introduced(person, GOOD)
        async with _from(port, HERE) as guest, _from(port, HERE) as one_too_many:
            code = await close_code(one_too_many)

            assert await _introduced(guest) == ACKNOWLEDGED
    assert code == 1013


async def test_signed_in_sockets_of_one_client_are_bounded_too() -> None:
    async with _served(sockets_of_a_client=1) as (_, port), _from(port, HERE) as first:
        await _introduced(first, GOOD)
        async with _from(port, HERE) as second, _from(port, THERE) as other:
            code = await close_code(second)

            assert await _introduced(other, GOOD) == ACKNOWLEDGED
    assert code == 1013


async def test_network_of_one_client_counts_as_one() -> None:
    async with (
        _served(guests_of_a_client=1) as (_, port),
        _from(port, "2001:db8::1"),
        _from(port, "2001:db8::2") as neighbour,
        _from(port, "2001:db8:0:1::1") as other,
    ):
        code = await close_code(neighbour)

        assert await _introduced(other) == ACKNOWLEDGED
    assert code == 1013


async def test_place_is_free_again_once_its_socket_is_closed() -> None:
    async with _served(sockets=1) as (service, port):
        async with _from(port, HERE) as first:
            await _introduced(first)
        await eventually(lambda: not service.socket._places._sockets)

        async with _from(port, HERE) as second:
            assert await _introduced(second) == ACKNOWLEDGED


def test_places_remember_nobody_who_has_gone() -> None:
    places = Places()

    with places.taken(HERE, Limits()) as be_no_guest, places.taken(THERE, Limits()):
        assert be_no_guest is not None
        be_no_guest()
        assert (places._sockets, places._guests) == ({HERE: 1, THERE: 1}, {THERE: 1})

    assert (places._sockets, places._guests) == ({}, {})


@pytest.mark.parametrize("chatter", [[], ["ping"], ["subscribe"]], ids=str)
async def test_guest_who_runs_nothing_is_closed(chatter: list[str]) -> None:
    async with _served(idle_guest_seconds=0.05) as (_, port), _from(port, HERE) as guest:
        await send_raw(guest, {"type": "connection_init"})
        for kind in chatter:
            await send(guest, kind, "1", query="{ echo }")

        assert await close_code(guest) == 1000


async def test_guest_is_left_alone_while_an_operation_runs() -> None:
    async with _served() as (service, port), _from(port, HERE) as busy, _from(port, HERE) as idle:
        await _introduced(busy)
        await _follow(busy)
        # From here on, whoever is idle is closed at once: so that nothing depends on how fast this machine is.
        service.socket.limits = Limits(idle_guest_seconds=0.01)
        await _introduced(idle)
        assert await close_code(idle) == 1000
        await send_raw(busy, {"type": "ping"})
        assert await receive(busy) == ANSWERED

        await send_raw(busy, {"id": "1", "type": "complete"})
        assert await close_code(busy) == 1000


async def test_signed_in_caller_may_be_idle() -> None:
    async with (
        _served(idle_guest_seconds=0.01) as (_, port),
        _from(port, HERE) as person,
        _from(port, HERE) as guest,
    ):
        await _introduced(person, GOOD)
        await _introduced(guest)
        assert await close_code(guest) == 1000

        await send_raw(person, {"type": "ping"})
        assert await receive(person) == ANSWERED


@asynccontextmanager
async def _served(**limits: float) -> AsyncIterator[tuple[Service, int]]:
    """A service behind a proxy. Nobody is closed for being slow, unless a test is about that."""
    patient: dict[str, Any] = {"init_seconds": 60, "idle_guest_seconds": 60, **limits}
    service = make_service(limits=Limits(**patient), trusted_proxies=BY_PROXY)
    async with served(service.app) as port:
        yield service, port


@asynccontextmanager
async def _from(port: int, address: str) -> AsyncIterator[ClientConnection]:
    async with connection(port, additional_headers={"X-Forwarded-For": address}) as socket:
        yield socket


async def _introduced(socket: ClientConnection, payload: Any = None) -> dict[str, Any]:
    await send_raw(socket, {"type": "connection_init", "payload": payload})
    return await receive(socket)


async def _follow(socket: ClientConnection) -> None:
    await send(socket, "subscribe", "1", query="subscription { endless }")
    await receive(socket)
