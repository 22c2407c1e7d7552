"""What sockets may take: time, and places, of which nobody gets them all."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one process. A client is an address, or the /64 of one (`kit.addresses.client_network`)."""

    init_seconds: float = 3.0
    """Until `connection_init` must have come."""

    idle_guest_seconds: float = 60.0
    """How long a guest may run no operation."""

    patience_seconds: float = 10.0
    """With a reader that is stuck."""

    sockets: int = 2_000
    sockets_of_a_client: int = 500
    guests_of_a_client: int = 100
    """Generous, since many people may share an address. Guests have fewer: they have nothing to follow, and whoever is
    signed in has an account that can be asked about it."""


class Places:
    """The sockets that are open, by client."""

    def __init__(self) -> None:
        self._sockets: Counter[str] = Counter()
        self._guests: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: str, limits: Limits) -> Iterator[Callable[[], None] | None]:
        """A place while a socket is open, as a guest until what is given back is called; None where there is none."""
        if not self._has_one_for(client, limits):
            yield None
            return
        with _counted(self._sockets, client), ExitStack() as guest:
            guest.enter_context(_counted(self._guests, client))
            yield guest.close

    def _has_one_for(self, client: str, limits: Limits) -> bool:
        return (
            self._sockets.total() < limits.sockets
            and self._sockets[client] < limits.sockets_of_a_client
            and self._guests[client] < limits.guests_of_a_client
        )


@contextmanager
def _counted(counts: Counter[str], client: str) -> Iterator[None]:
    counts[client] += 1
    try:
        yield
    finally:
        counts[client] -= 1
        if not counts[client]:
            del counts[client]
