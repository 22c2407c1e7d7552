"""How many mails a stranger can have sent to one address."""

from kit.addresses import client_network
from kit.errors import TooManyAttempts
from kit.text import Email
from kit.throttle import Limit
from resolvers.callers import Caller


async def may_mail(caller: Caller, limit: Limit, address: Email) -> bool:
    """Count a mail to the address; False when it has had as many today as it may. Never told to anyone."""
    client = client_network(caller.origin.ip_address)
    try:
        await caller.services.throttle.take([(limit, address.canonical)], client=client)
    except TooManyAttempts:
        return False
    return True
