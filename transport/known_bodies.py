"""Bodies that came before: programs send the same few all day, and what one says does not change."""

from transport.body import decode_object
from transport.parameters import Parameters, from_object

_MOST = 500
_LONGEST = 2_048


class KnownBodies:
    """Remembers what short bodies say that hold a document and nothing else. What came first goes first."""

    def __init__(self) -> None:
        self._known: dict[bytes, Parameters] = {}

    def __len__(self) -> int:
        return len(self._known)

    def parameters(self, raw: bytes) -> Parameters:
        """Raises Rejection (400)."""
        known = self._known.get(raw)
        if known is not None:
            return known
        asked = from_object(decode_object(raw))
        # SECURITY: variables may hold a password, so no body that has any is kept.
        if len(raw) <= _LONGEST and asked == Parameters(asked.query, None, {}, {}, None):
            self._remember(raw, asked)
        return asked

    def _remember(self, raw: bytes, asked: Parameters) -> None:
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[raw] = asked
