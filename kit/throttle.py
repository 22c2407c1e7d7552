"""How many tries are allowed, and counting them: rules without a store, and the store that several machines share.

A window counts tries from its first one on. The try after the last allowed one is refused, and each further refusal
pushes the window's end away, by an hour at most: waits grow, and nothing is ever locked for good.
"""

import asyncio
import hashlib
import importlib
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import structlog

from kit import clock
from kit.addresses import client_network
from kit.errors import TooManyAttempts, Unavailable

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger("gatehouse.throttle")

LONGEST_GROWN_WAIT_MS = 3_600_000
_CLIENT_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Window:
    """So many tries in so many seconds."""

    allowed: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limit:
    """A named bound; its windows stand shortest first. The subjects of a `per_client` limit are client addresses."""

    name: str
    windows: tuple[Window, ...]
    per_client: bool = False


_FIVE_MINUTES, _HOUR, _DAY = 300, 3_600, 86_400

PASSWORD_ACCOUNT = Limit("password_account", (Window(10, _FIVE_MINUTES),))
PASSWORD_CLIENT = Limit("password_client", (Window(100, _FIVE_MINUTES),), per_client=True)
# Instead of PASSWORD_ACCOUNT, for an address that signed in to the account lately: its subject is known_client().
PASSWORD_KNOWN_CLIENT = Limit("password_known_client", (Window(10, _FIVE_MINUTES),))
CODE_ACCOUNT = Limit("code_account", (Window(5, _FIVE_MINUTES), Window(20, _HOUR), Window(50, _DAY)))
CODE_CLIENT = Limit("code_client", (Window(50, _FIVE_MINUTES),), per_client=True)
RESET_MAIL = Limit("reset_mail", (Window(5, _DAY),))
SIGN_UP_MAIL = Limit("sign_up_mail", (Window(5, _DAY),))
SIGN_UP_CLIENT = Limit("sign_up_client", (Window(60, _HOUR),), per_client=True)
RESET_REQUEST_CLIENT = Limit("reset_request_client", (Window(60, _HOUR),), per_client=True)
SOCIAL_LOGIN_CLIENT = Limit("social_login_client", (Window(60, _FIVE_MINUTES),), per_client=True)
LEAK_REPORT_CLIENT = Limit("leak_report_client", (Window(60, _HOUR),), per_client=True)
INVITATION_FLEET = Limit("invitation_fleet", (Window(50, _DAY),))
EXPORT_ACCOUNT = Limit("export_account", (Window(5, _DAY),))


def known_client(account: str, client: str) -> str:
    """The subject of PASSWORD_KNOWN_CLIENT: one account and one client address."""
    return f"{account} {client_network(client)}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the tries of one subject in one window are counted. Its name holds a digest, not the subject."""

    name: str
    window: Window


def buckets(limit: Limit, subject: str) -> list[Bucket]:
    """One for each window, shortest first."""
    counted = client_network(subject) if limit.per_client else subject
    digest = hashlib.sha256(counted.encode("utf-8", "surrogatepass")).hexdigest()
    return [Bucket(f"{limit.name}:{window.seconds}:{digest}", window) for window in limit.windows]


@dataclass(frozen=True, slots=True)
class Count:
    """What a bucket holds; `shares` says which client made how many of the tries. Times are milliseconds since 1970."""

    tries: int = 0
    refusals: int = 0
    ends_at_ms: int = 0
    shares: Mapping[str, int] = field(default_factory=dict)

    def charged(self, window: Window, client: str, now_ms: int) -> tuple["Count", int]:
        """The count after one more try, and how many milliseconds to wait: 0 when the try is allowed."""
        if now_ms >= self.ends_at_ms:
            return Count(1, 0, now_ms + window.seconds * 1_000, {client: 1}), 0
        if self.tries < window.allowed:
            shares = {**self.shares, client: self.shares.get(client, 0) + 1}
            return Count(self.tries + 1, self.refusals, self.ends_at_ms, shares), 0
        refusals = self.refusals + 1
        ends_at_ms = max(self.ends_at_ms, now_ms + _grown_wait_ms(window, refusals))
        return Count(self.tries, refusals, ends_at_ms, self.shares), ends_at_ms - now_ms

    def without(self, client: str, most: int | None = None) -> "Count":
        """The count without this client's tries, or without so many of them; other clients' tries stay."""
        share = self.shares.get(client, 0)
        gone = share if most is None else min(share, most)
        others = {name: tries for name, tries in self.shares.items() if name != client}
        shares = others | ({client: share - gone} if share > gone else {})
        return replace(self, tries=self.tries - gone, shares=shares)


def _grown_wait_ms(window: Window, refusals: int) -> int:
    """A tenth of the window more with each refusal; the first only waits for the window's end."""
    return 0 if refusals == 1 else min(LONGEST_GROWN_WAIT_MS, window.seconds * 100 * (9 + refusals))


def now_ms() -> int:
    """The present, in the unit in which counters are kept."""
    return int(clock.now().timestamp() * 1_000)


class CounterStore(Protocol):
    """Keeps counts. Every method is one atomic step, and raises Unavailable when the store is away: never "allowed"."""

    async def take(self, wanted: Sequence[Bucket], client: str) -> int:
        """Charge the buckets in order up to the first that refuses; returns its wait in milliseconds, or 0."""

    async def take_out(self, wanted: Sequence[Bucket], client: str, most: int | None = None) -> None:
        """Take this client's tries out of the buckets: all of them, or so many."""

    async def ping(self) -> None:
        """Ask for an answer."""

    async def close(self) -> None:
        """Let go of connections."""


class Throttle:
    """Asks the store before the work is done. Not enabled (load tests), it allows everything."""

    def __init__(self, store: CounterStore, enabled: bool) -> None:
        self.store = store
        self._enabled = enabled

    async def take(self, charges: Sequence[tuple[Limit, str]], client: str) -> None:
        """Count one try for each (limit, subject), in order, in one step. Raises TooManyAttempts, Unavailable.

        Call it outside a unit of work: what it counts must stay when the work is rolled back.
        """
        if not self._enabled:
            return
        wait_ms = await self.store.take(_all_buckets(charges), _client_digest(client))
        if wait_ms > 0:
            seconds = -(-wait_ms // 1_000)
            log.warning("throttled", limits=[limit.name for limit, _ in charges], seconds=seconds)
            raise TooManyAttempts(retry_after_seconds=seconds)

    async def give_back(self, charges: Sequence[tuple[Limit, str]], client: str) -> None:
        """Undo one allowed take: what was not tried, or was right, is not counted. Raises Unavailable."""
        if self._enabled:
            await self.store.take_out(_all_buckets(charges), _client_digest(client), most=1)

    async def clear(self, limit: Limit, subject: str, client: str) -> None:
        """Forget the tries of this client, and only its own. Raises Unavailable."""
        if self._enabled:
            await self.store.take_out(buckets(limit, subject), _client_digest(client))


def _all_buckets(charges: Sequence[tuple[Limit, str]]) -> list[Bucket]:
    return [bucket for limit, subject in dict.fromkeys(charges) for bucket in buckets(limit, subject)]


def _client_digest(client: str) -> str:
    return hashlib.sha256(client_network(client).encode()).hexdigest()[:_CLIENT_DIGITS]


# Count.charged(), where Redis can do it in one step. Keys: bucket names. Arguments: now, client, then allowed tries and
# milliseconds of each window.
_TAKE = f"""
local now, client = tonumber(ARGV[1]), 'share:' .. ARGV[2]
for place, key in ipairs(KEYS) do
  local allowed, length = tonumber(ARGV[2 * place + 1]), tonumber(ARGV[2 * place + 2])
  local tries, ends = unpack(redis.call('HMGET', key, 'tries', 'ends'))
  tries, ends = tonumber(tries or 0), tonumber(ends or 0)
  if now >= ends then
    tries, ends = 0, now + length
    redis.call('DEL', key)
  end
  local wait = 0
  if tries < allowed then
    redis.call('HINCRBY', key, 'tries', 1)
    redis.call('HINCRBY', key, client, 1)
  else
    local refusals = redis.call('HINCRBY', key, 'refusals', 1)
    if refusals > 1 then
      ends = math.max(ends, now + math.min({LONGEST_GROWN_WAIT_MS}, length / 10 * (9 + refusals)))
    end
    wait = ends - now
  end
  redis.call('HSET', key, 'ends', string.format('%.0f', ends))
  redis.call('PEXPIRE', key, string.format('%.0f', ends - now))
  if wait > 0 then return wait end
end
return 0
"""

# Count.without(). Keys: bucket names. Arguments: client, and how many tries at most.
_TAKE_OUT = """
local client, most = 'share:' .. ARGV[1], tonumber(ARGV[2])
for _, key in ipairs(KEYS) do
  local share = tonumber(redis.call('HGET', key, client) or 0)
  local gone = math.min(share, most)
  if gone > 0 then
    redis.call('HINCRBY', key, 'tries', -gone)
    redis.call('HINCRBY', key, client, -gone)
  end
end
return 0
"""

_KEY_PREFIX = "gatehouse:attempts:"
_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 1.0
_PATIENCE_SECONDS = 2.5
_ALL = 1_000_000_000


class RedisCounters:
    """Counters that several machines share. Redis forgets a bucket by itself when its window is over."""

    def __init__(self, url: str) -> None:
        # Loaded here, since importing it takes a tenth of a second that an installation without Redis need not wait.
        library = importlib.import_module("redis.asyncio")
        backoff = importlib.import_module("redis.backoff")
        self._failures = (importlib.import_module("redis.exceptions").RedisError, OSError, TimeoutError)
        self._redis: Redis = library.Redis.from_url(
            url,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            # A connection that Redis closed while it was idle, after a restart say, is replaced at once.
            retry=library.retry.Retry(backoff.NoBackoff(), 1),
        )
        self._take = self._redis.register_script(_TAKE)
        self._take_out = self._redis.register_script(_TAKE_OUT)

    async def take(self, wanted: Sequence[Bucket], client: str) -> int:
        bounds = [number for bucket in wanted for number in (bucket.window.allowed, bucket.window.seconds * 1_000)]
        answer = await self._answer(self._take(keys=_keys(wanted), args=[now_ms(), client, *bounds]))
        return int(answer)

    async def take_out(self, wanted: Sequence[Bucket], client: str, most: int | None = None) -> None:
        await self._answer(self._take_out(keys=_keys(wanted), args=[client, _ALL if most is None else most]))

    async def ping(self) -> None:
        await self._answer(cast("Awaitable[Any]", self._redis.ping()))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _answer(self, asked: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever the script returns
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await asked
        except self._failures as error:
            # SECURITY: a store that does not answer must not open the door to guessing.
            raise Unavailable("The store of attempt counters") from error


def _keys(wanted: Sequence[Bucket]) -> list[str]:
    return [_KEY_PREFIX + bucket.name for bucket in wanted]
