"""Argon2id (RFC 9106) behind a gate, so that many sign-ins at once cost time and never all the memory."""

import asyncio
import base64
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import HashingError, VerificationError, VerifyMismatchError

from kit.errors import Unavailable
from kit.metrics import HASHES_REFUSED

_SALT_BYTES = 16
_HASH_BYTES = 32
_NICENESS = 10
_WHAT = "Password hashing"

T = TypeVar("T")


class HashingSettings(Protocol):
    """What of the settings counts here."""

    @property
    def argon2_memory_kib(self) -> int: ...
    @property
    def argon2_time_cost(self) -> int: ...
    @property
    def argon2_parallelism(self) -> int: ...
    @property
    def hashing_slots(self) -> int: ...
    @property
    def hashing_queue(self) -> int: ...


class Verdict(NamedTuple):
    """Whether the password is right and, if so, whether its hash should be made anew with the present settings."""

    matches: bool
    needs_rehash: bool


class Passwords:
    """Hashes and verifies in threads of its own. A process makes one: it is the gate for all of them."""

    def __init__(self, settings: HashingSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
            type=Type.ID,
        )
        self._dummy_hash = _dummy_hash(settings)
        self._permits = threading.BoundedSemaphore(settings.hashing_slots + settings.hashing_queue)
        self._threads = ThreadPoolExecutor(settings.hashing_slots, "hashing", initializer=_step_back)

    async def hash(self, password: str) -> str:
        """A new PHC string. Raises Unavailable when too many are waiting already."""
        return await self._run(lambda: self._hasher.hash(_as_bytes(password)))

    async def verify(self, password_hash: str | None, password: str) -> Verdict:
        """Compare. Without a hash (no account, no password) it costs as much and never matches. Raises Unavailable."""
        return await self._run(lambda: self._verdict(password_hash, _as_bytes(password)))

    def close(self) -> None:
        """Take no more; what runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verdict(self, password_hash: str | None, password: bytes) -> Verdict:
        try:
            self._hasher.verify(password_hash or self._dummy_hash, password)
        except VerifyMismatchError:
            return Verdict(matches=False, needs_rehash=False)
        # SECURITY: whatever the dummy says, an account without a password has no right one.
        if password_hash is None:
            return Verdict(matches=False, needs_rehash=False)
        return Verdict(matches=True, needs_rehash=self._hasher.check_needs_rehash(password_hash))

    async def _run(self, job: Callable[[], T]) -> T:
        try:
            return await asyncio.wrap_future(self._submit(job))
        except (HashingError, VerificationError) as error:
            # Argon2 found no memory, say: that tells nothing about the password.
            raise Unavailable(_WHAT) from error

    def _submit(self, job: Callable[[], T]) -> Future[T]:
        if not self._permits.acquire(blocking=False):
            HASHES_REFUSED.inc()
            raise Unavailable(_WHAT, retry_after_seconds=1)
        try:
            future = self._threads.submit(job)
        except RuntimeError as error:
            self._permits.release()
            raise Unavailable(_WHAT) from error
        # SECURITY: the permit is the thread's, not the request's. A client that hangs up stops waiting, but its hash
        # still takes its memory until it is done.
        future.add_done_callback(lambda _: self._permits.release())
        return future


def _dummy_hash(settings: HashingSettings) -> str:
    """A PHC string with the present costs that no known password has, made without paying them."""
    costs = f"m={settings.argon2_memory_kib},t={settings.argon2_time_cost},p={settings.argon2_parallelism}"
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (_SALT_BYTES, _HASH_BYTES)
    )
    return f"$argon2id$v=19${costs}${salt}${digest}"


def _as_bytes(password: str) -> bytes:
    # RFC 8265 section 4.2: two keyboards may spell one accented letter differently. A lone surrogate matches nothing.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _step_back() -> None:
    """Let the event loop go first: on Linux each thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
