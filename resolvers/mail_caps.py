"""How many mails a stranger can have sent to one address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from kit.addresses import client_network
from kit.errors import TooManyAttempts, Unavailable
from kit.text import Email
from kit.throttle import Limit
from resolvers.callers import Caller


@asynccontextmanager
async def given_back_unless_done(caller: Caller, *charges: tuple[Limit, str]) -> AsyncIterator[None]:
    """Around work that was counted before: what could not be done now is not counted. Raises Unavailable."""
    try:
        yield
    except Unavailable:
        with suppress(Unavailable):
            await caller.services.throttle.give_back(charges, client=client_network(caller.origin.ip_address))
        raise


async def may_mail(caller: Caller, limit: Limit, address: Email) -> bool:
    """Count a mail to the address; False when it has had as many today as it may. Never told to anyone."""
    client = client_network(caller.origin.ip_address)
    try:
        await caller.services.throttle.take([(limit, address.canonical)], client=client)
    except TooManyAttempts:
        return False
    return True
