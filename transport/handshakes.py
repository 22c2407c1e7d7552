"""WebSocket handshakes that are refused: answered as HTTP, so that they carry what every answer carries."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from starlette.types import Scope, Send

from transport.rejections import Header

_REFUSAL = "handshake_refusal"


class Refusal(NamedTuple):
    """Why a handshake comes to nothing."""

    status: int
    headers: Sequence[Header] = ()


FORBIDDEN = Refusal(403)
NO_SOCKET_HERE = Refusal(404)


def note_refusal(state: dict[str, Any], refusal: Refusal) -> None:
    """For the server, in the scope's state: leave it to the application to say that this handshake is none."""
    state[_REFUSAL] = refusal


def refusal_of(scope: Scope) -> Refusal | None:
    """What the server found wrong with the handshake."""
    refusal: Refusal | None = scope.get("state", {}).get(_REFUSAL)
    return refusal


async def refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    """Answer in the server's stead; where it has no such extension, it answers 403 by itself."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 4403})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *refusal.headers]
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"%d\n" % refusal.status})
