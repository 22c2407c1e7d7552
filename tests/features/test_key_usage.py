"""When a key was last used: to the minute, once a minute, off the path of requests."""

from datetime import datetime, timedelta
from typing import Any

from kit import clock
from models import ApiKey
from server import Gateway
from tests.features.test_api_keys import VIEWER, make, with_key
from tests.support.people import Person


async def test_last_use_is_told_to_the_minute_and_written_off_the_path(gateway: Gateway, ann: Person) -> None:
    made = await make(ann)
    minute = clock.now().replace(second=0, microsecond=0)
    clock.shift(minute + timedelta(minutes=1, seconds=20) - clock.now())
    first = (await with_key(ann, made["key"])).root["apiKeys"]["nodes"][0]["lastUsedAt"]
    await written(gateway)
    (key,) = (await ann.client.run(VIEWER)).root["apiKeys"]["nodes"]
    clock.shift(timedelta(minutes=2))
    await with_key(ann, made["key"])
    await written(gateway)
    (later,) = (await ann.client.run(VIEWER)).root["apiKeys"]["nodes"]

    assert first is None
    assert datetime.fromisoformat(key["lastUsedAt"]) == minute + timedelta(minutes=1)
    assert datetime.fromisoformat(later["lastUsedAt"]) == minute + timedelta(minutes=3)


async def test_last_use_is_written_once_a_minute(gateway: Gateway, ann: Person) -> None:
    made = await make(ann)
    clock.shift(timedelta(minutes=1, seconds=-clock.now().second))
    for _ in range(3):
        await with_key(ann, made["key"])
        await written(gateway)
    # Would show if it were written again: nobody else writes here.
    await ApiKey.all().update(last_used_at=None)
    await with_key(ann, made["key"])
    await written(gateway)

    assert (await ApiKey.get()).last_used_at is None


async def test_use_by_another_process_is_not_turned_back(gateway: Gateway, ann: Person) -> None:
    made = await make(ann)
    later = clock.now().replace(microsecond=0) + timedelta(minutes=5)
    await ApiKey.all().update(last_used_at=later)
    await with_key(ann, made["key"])
    await written(gateway)

    assert (await ApiKey.get()).last_used_at == later


async def written(gateway: Gateway) -> None:
    """Wait for what is written beside the requests."""
    services: Any = gateway._services
    await services.key_usage.write()
