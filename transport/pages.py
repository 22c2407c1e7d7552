"""The pages beside the GraphQL endpoint: liveness, readiness, the playground's files, the development outbox."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from kit.errors import Unavailable

PLAYGROUND_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)
"""What the playground may load: the gateway's own files. Styles may also stand in the page, since Monaco, GraphiQL's
editor, writes its colours into style elements while it runs."""

NotReady = dict[str, str]
"""What is missing, and why; empty when nothing is."""


def health_routes(not_ready: Callable[[], Awaitable[NotReady]]) -> list[BaseRoute]:
    """`/healthz` while the process lives; `/readyz` while it can answer."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        missing = await not_ready()
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def outbox_route(newest_mails: Callable[[], Awaitable[list[dict[str, Any]]]]) -> BaseRoute:
    """The development outbox: the last mails, newest first."""

    async def outbox(_: Request) -> Response:
        return JSONResponse(await newest_mails())

    return Route("/outbox", outbox)


def playground_routes(folder: Path) -> list[BaseRoute]:
    """`/` leads to the playground, whose built files lie in the folder."""

    async def root(_: Request) -> Response:
        return RedirectResponse("/graphql", status_code=302)

    return [Route("/", root), Mount("/playground", StaticFiles(directory=folder, check_dir=False))]


def playground_page(folder: Path) -> Callable[[], Response]:
    """Makes the playground's page. The page is read at each call: it is small, and a rebuild shows at once."""

    def page() -> Response:
        try:
            text = (folder / "index.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return PlainTextResponse("The playground is not built. Build it with `make serve`.\n", status_code=503)
        return HTMLResponse(
            text,
            headers={
                "content-security-policy": PLAYGROUND_POLICY,
                "cross-origin-opener-policy": "same-origin",
            },
        )

    return page


async def plain_error(_: Request, error: Exception) -> Response:
    """What Starlette itself refuses (404, 405), and what is away, without a hint at what there is."""
    if isinstance(error, Unavailable):
        return PlainTextResponse("503\n", status_code=503, headers={"retry-after": str(error.retry_after_seconds)})
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    return PlainTextResponse(f"{status}\n", status_code=status, headers=headers)
