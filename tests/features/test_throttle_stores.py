"""Where tries are counted (TH-7): the database, Redis, and what happens when they are away."""

import asyncio
from typing import Any

from kit.settings import Settings
from models import PendingSignUp, SecurityEvent
from tests.features.test_throttling import WRONG, guess
from tests.support.graphql_client import Answer
from tests.support.mailbox import Mailbox
from tests.support.people import SIGN_UP, sign_up
from tests.support.places import gateway_with, visitor
from tests.support.services import RedisServer, running
from tests.support.sign_in import STEP_UP, try_password


async def test_counts_outlive_a_restart(settings: Settings) -> None:
    async with gateway_with(settings) as gateway:
        ann = await sign_up(visitor(gateway, "192.0.2.1"), Mailbox(visitor(gateway).http))
        first = await guess(visitor(gateway), ann.email, 5)
    async with gateway_with(settings) as gateway:
        second = await guess(visitor(gateway), ann.email, 6)

    assert first + second == ["InvalidCredentials"] * 10 + ["TooManyAttempts"]


async def test_switched_off_limits_allow_everything(settings: Settings) -> None:
    async with gateway_with(settings, rate_limits=False) as gateway:
        assert await guess(visitor(gateway), "nobody@example.com", 12) == ["InvalidCredentials"] * 12


async def test_redis_keeps_the_counts(settings: Settings, redis_url: str) -> None:
    async with gateway_with(settings, redis_url=redis_url) as gateway:
        ann = await sign_up(visitor(gateway, "192.0.2.1"), Mailbox(visitor(gateway).http))
        guessers = [visitor(gateway, f"203.0.113.{number}") for number in range(60)]
        burst = await asyncio.gather(*(try_password(guesser, ann.email, WRONG) for guesser in guessers))
        at_home = await try_password(visitor(gateway, "192.0.2.1"), ann.email, ann.password)
    async with gateway_with(settings, redis_url=redis_url) as gateway:
        restarted = await guess(visitor(gateway), ann.email, 1)

    kinds = sorted(answer.root["__typename"] for answer in burst)
    assert kinds == ["InvalidCredentials"] * 10 + ["TooManyAttempts"] * 50
    at_home.expect("SessionStarted")
    assert restarted == ["TooManyAttempts"]


async def test_redis_away_is_503_and_never_open(settings: Settings, redis_server: RedisServer) -> None:
    with running(RedisServer) as redis:
        async with gateway_with(settings, redis_url=redis.url) as gateway:
            guest = visitor(gateway)
            ann = await sign_up(guest, Mailbox(guest.http))
            before = await SecurityEvent.all().count()
            redis.stop()

            refused = [
                await try_password(guest, ann.email, ann.password),
                await try_password(guest, ann.email, WRONG),
                await ann.client.run(STEP_UP, password=ann.password),
                await guest.run(SIGN_UP, email="eve@example.com", password=ann.password),
            ]
            reading = await ann.client.run("{ viewer { id } }")
            ready = await guest.http.get("/readyz")
            alive = await guest.http.get("/healthz")
            events, pending = await SecurityEvent.all().count(), await PendingSignUp.all().count()
            redis.start()
            back = await try_password(guest, ann.email, ann.password)

    for answer in refused:
        assert (answer.status, answer.error_codes) == (503, ["UNAVAILABLE"])
        assert int(answer.response.headers["retry-after"]) > 0
    assert (events, pending) == (before, 0)
    assert reading.root["id"] == ann.account_id
    assert ready.status_code == 503
    assert "redis" in ready.json()["missing"]
    assert alive.status_code == 200
    back.expect("SessionStarted")


async def test_sign_up_that_could_not_begin_uses_no_mail_up(settings: Settings) -> None:
    async with gateway_with(settings, hashing_slots=1, hashing_queue=0, argon2_memory_kib=20_000) as gateway:
        guest = visitor(gateway)

        async def begin() -> Answer:
            return await guest.run(SIGN_UP, email="eve@example.com", password="a long enough passphrase")

        crowd = await asyncio.gather(*(begin() for _ in range(40)))
        for _ in range(5):
            (await begin()).expect("SignUpStarted")
        mails = await Mailbox(guest.http).mails("eve@example.com")

    assert {answer.status for answer in crowd} == {200, 503}
    assert len(mails) == 5


async def test_full_hashing_queue_is_503_and_counts_nobody(settings: Settings) -> None:
    async with gateway_with(settings, hashing_slots=1, hashing_queue=0, argon2_memory_kib=20_000) as gateway:
        guest = visitor(gateway)
        answers = await asyncio.gather(*(try_password(guest, f"{one}@example.com", WRONG) for one in range(40)))
        again = await guess(guest, "39@example.com", 10)

    kinds: list[Any] = [answer.status for answer in answers]
    assert set(kinds) == {200, 503}
    assert {tuple(answer.error_codes) for answer in answers if answer.status == 503} == {("UNAVAILABLE",)}
    assert all("retry-after" in answer.response.headers for answer in answers if answer.status == 503)
    # What was not tried was not counted.
    assert again.count("InvalidCredentials") >= 9
