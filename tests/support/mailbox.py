"""What has been mailed, as the development outbox shows it."""

import re
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Mailbox:
    """Reads `GET /outbox`."""

    http: httpx.AsyncClient

    async def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """All mails, or those to one address, newest first."""
        mails: list[dict[str, Any]] = (await self.http.get("/outbox")).raise_for_status().json()
        return [mail for mail in mails if to is None or mail["to"] == to]

    async def newest(self, to: str) -> dict[str, Any]:
        """The last mail to an address."""
        return (await self.mails(to))[0]

    async def code(self, to: str) -> str:
        """The six digits in the last mail to an address."""
        return code_in((await self.newest(to))["text"])


def code_in(text: str) -> str:
    """The six digits that stand on a line of their own."""
    (code,) = re.findall(r"^[0-9]{6}$", text, re.MULTILINE)
    return str(code)


def link_in(text: str) -> str:
    """The link that stands on a line of its own."""
    (link,) = re.findall(r"^https?://\S+$", text, re.MULTILINE)
    return str(link)
