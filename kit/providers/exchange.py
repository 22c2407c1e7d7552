"""What every provider has in common: what is asked, what comes back, and how it may go wrong."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from kit.errors import Refused

log = structlog.get_logger("gatehouse.providers")

PATIENCE_SECONDS = 4.0
"""How long all questions to a provider together may take, for one step of a sign-in."""


class ProviderName(StrEnum):
    """Who vouches for an identity, in the contract's words."""

    GOOGLE = "GOOGLE"
    GITHUB = "GITHUB"

    @property
    def label(self) -> str:
        """The name as the provider writes it."""
        return {"GOOGLE": "Google", "GITHUB": "GitHub"}[self.value]


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """Who came back. `subject` alone says so: name and address are attributes that may change (ASVS 6.8.1)."""

    subject: str
    display_name: str
    email: str | None
    email_verified: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one sign-in asks with, from its beginning to its end. Every part but the first is random."""

    redirect_uri: str
    state: str
    nonce: str
    verifier: str

    @classmethod
    def begin(cls, redirect_uri: str) -> "Exchange":
        """New secrets of 256 bits each and more, in the characters that RFC 7636 section 4.1 allows."""
        return cls(redirect_uri, secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier."""
        return challenge_of(self.verifier)


def challenge_of(verifier: str) -> str:
    """What S256 makes of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class ProviderDenial(Exception):
    """The provider says no, or its answer fails a check."""


class ProviderFault(Exception):
    """The provider is silent, down, or talks nonsense."""


class Provider(Protocol):
    """One that can be asked. Both raise ProviderDenial, ProviderFault."""

    async def begin(self, exchange: Exchange) -> str:
        """The address to send the browser to."""

    async def complete(self, code: str, exchange: Exchange) -> ProviderIdentity:
        """Who the code that came back stands for."""


@asynccontextmanager
async def asking(name: ProviderName) -> AsyncIterator[None]:
    """Around questions to a provider, which together have four seconds. Raises Refused with the contract's code."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield
    except ProviderDenial as denial:
        log.warning("provider_refused", provider=name.value, reason=str(denial))
        raise Refused("PROVIDER_REFUSED", f"{name.label} did not confirm this sign-in: start again.") from None
    except (ProviderFault, TimeoutError) as fault:
        log.warning("provider_unavailable", provider=name.value, reason=str(fault) or "took too long")
        raise Refused("PROVIDER_UNAVAILABLE", f"{name.label} can't be reached: try again later.") from None
