"""What the gateway is compared with: a bare Starlette route under the same uvicorn, without and with a look-up.

`python -m benchmarks.bare PORT [DATABASE_URL ACCOUNT_ID]`
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ANSWER = {"data": {"viewer": {"id": "account_01a3b2c4d5e67f8091a2b3c4d5e6f708", "email": "ann@example.com"}}}
BY_ID = "SELECT id, email FROM accounts WHERE id = $1"


def constant() -> Starlette:
    """Answers with a constant."""

    async def answer(_: Request) -> JSONResponse:
        return JSONResponse(ANSWER)

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])


def look_up(database_url: str, account_id: UUID) -> Starlette:
    """Answers with one row by its key, from a statement that asyncpg keeps prepared."""
    pool: asyncpg.Pool[asyncpg.Record]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        nonlocal pool
        async with asyncpg.create_pool(database_url, min_size=10, max_size=10, reset=_leave_as_it_is) as pool:
            yield

    async def answer(_: Request) -> JSONResponse:
        row = await pool.fetchrow(BY_ID, account_id)
        assert row is not None
        return JSONResponse({"data": {"viewer": {"id": f"account_{row['id'].hex}", "email": row["email"]}}})

    return Starlette(routes=[Route("/graphql", answer, methods=["POST"])], lifespan=lifespan)


async def _leave_as_it_is(_: object) -> None:
    """No second round trip for what these connections never change."""


def main(port: int, database_url: str | None = None, account_id: str | None = None) -> None:
    app = look_up(database_url, UUID(account_id)) if database_url and account_id else constant()
    uvicorn.run(app, port=port, http="httptools", loop="uvloop", log_config=None, access_log=False, server_header=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
