import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

import models
from kit import clock, ids
from kit.errors import StreamBroken
from kit.origin import Origin
from models.base import unit_of_work
from process.gateway import Gateway
from resolvers import feeds
from resolvers.feeds import MOST_AT_ONCE, MOST_WAITING, Credential, Feed
from resolvers.live_events import MOST_STREAMS
from tests.features.test_api_keys import CREATE, REVOKE
from tests.support.graphql_client import GraphQLClient
from tests.support.live import COMPLETE, LiveAnswers, following
from tests.support.people import Person
from tests.support.served import served
from tests.support.services import HOST

EVENTS = (
    "subscription ($kinds: [SecurityEventKind!]) { securityEvents(kinds: $kinds) { id kind at details ipAddress } }"
)
ENDED = "subscription { sessionEnded { at reason } }"
SIGN_OUT = "mutation { signOutEverywhere { ... on SessionStarted { token } } }"
LOG_IN = """
mutation ($email: EmailAddress!, $password: Secret!) {
  logIn(input: {email: $email, password: $password}) { ... on SessionStarted { token } }
}
"""
SECURITY_LOG = "{ viewer { securityEvents(first: 1) { nodes { id kind at details ipAddress } } } }"
NOBODY = Origin(ip_address="", user_agent="", request_id="")
A_SECOND = 1.0


@pytest.fixture
async def url(gateway: Gateway) -> AsyncIterator[str]:
    async with served(gateway.app) as port:
        yield f"http://{HOST}:{port}"


async def test_event_arrives_as_it_stands_in_the_log(url: str, ann: Person) -> None:
    async with following(url, EVENTS, token=ann.token) as answers:
        await ann.client.run(CREATE, name="deploy")
        event = await answers.value(within=A_SECOND)

    logged = (await ann.client.run(SECURITY_LOG)).root["securityEvents"]["nodes"]
    assert logged == [event]
    assert event["kind"] == "API_KEY_CREATED"
    assert event["details"]["name"] == "deploy"


async def test_only_the_kinds_asked_for_arrive(url: str, ann: Person) -> None:
    async with following(url, EVENTS, token=ann.token, kinds=["API_KEY_REVOKED"]) as answers:
        made = (await ann.client.run(CREATE, name="deploy")).expect("ApiKeyCreated")
        await ann.client.run(REVOKE, ids=[made["apiKey"]["id"]])

        assert (await answers.value())["kind"] == "API_KEY_REVOKED"


async def test_strangers_events_do_not_arrive(url: str, ann: Person, bob: Person) -> None:
    async with following(url, EVENTS, token=ann.token) as answers:
        await bob.client.run(CREATE, name="of bob")
        await ann.client.run(CREATE, name="of ann")

        assert (await answers.value())["details"]["name"] == "of ann"


async def test_event_that_commits_late_is_not_lost(url: str, ann: Person) -> None:
    drawn_earlier = ids.first_id_at(clock.now() - timedelta(seconds=30))
    account_id = _account_id(ann)
    async with following(url, EVENTS, token=ann.token) as answers:
        await ann.client.run(CREATE, name="first to commit")
        first = await answers.value()
        async with unit_of_work():
            await models.SecurityEvent.create(id=drawn_earlier, account_id=account_id, kind="DATA_EXPORTED")
        late = await answers.value()

    assert first["details"]["name"] == "first to commit"
    assert late["kind"] == "DATA_EXPORTED"


async def test_what_is_rolled_back_does_not_arrive(url: str, ann: Person) -> None:
    async with following(url, EVENTS, token=ann.token) as answers:
        with suppress(ZeroDivisionError):
            async with unit_of_work():
                await models.SecurityEvent.record(_account_id(ann), models.SecurityEventKind.DATA_EXPORTED, NOBODY)
                raise ZeroDivisionError
        await ann.client.run(CREATE, name="kept")

        assert (await answers.value())["details"]["name"] == "kept"


async def test_sign_out_ends_the_session_within_a_second(url: str, ann: Person) -> None:
    async with following(url, ENDED, token=ann.token) as answers:
        new_token = (await ann.client.run(SIGN_OUT)).root["token"]
        ended = await answers.value(within=A_SECOND)
        last = await answers.message()
    after = await ann.client.bearing(new_token).run(SECURITY_LOG)

    assert ended["reason"] == "SIGNED_OUT_EVERYWHERE"
    assert ended["at"] == after.root["securityEvents"]["nodes"][0]["at"]
    assert last == COMPLETE


async def test_stream_of_events_ends_with_the_one_that_ended_the_session(url: str, ann: Person) -> None:
    async with following(url, EVENTS, token=ann.token) as answers:
        new_token = (await ann.client.run(SIGN_OUT)).root["token"]
        await ann.client.bearing(new_token).run(CREATE, name="not for the former session")

        assert (await answers.value(within=A_SECOND))["kind"] == "SIGNED_OUT_EVERYWHERE"
        assert await answers.message() == COMPLETE


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("PASSWORD_SET", "PASSWORD_CHANGED"),
        ("PASSWORD_CHANGED", "PASSWORD_CHANGED"),
        ("PASSWORD_RESET", "PASSWORD_CHANGED"),
        ("EMAIL_CHANGED", "EMAIL_CHANGED"),
        ("TWO_FACTOR_ENABLED", "TWO_FACTOR_CHANGED"),
        ("TWO_FACTOR_DISABLED", "TWO_FACTOR_CHANGED"),
        (None, "SIGNED_OUT_EVERYWHERE"),
    ],
)
async def test_reason_is_what_raised_the_generation(url: str, ann: Person, kind: str | None, reason: str) -> None:
    async with following(url, ENDED, token=ann.token) as answers:
        async with unit_of_work():
            account = await models.Account.get(id=_account_id(ann))
            await account.raise_generation()
            if kind is not None:
                await models.SecurityEvent.record(account.id, models.SecurityEventKind(kind), NOBODY)

        assert (await answers.value(within=A_SECOND))["reason"] == reason


async def test_deletion_of_the_account_ends_its_sessions(url: str, ann: Person) -> None:
    async with following(url, ENDED, token=ann.token) as answers:
        await models.Account.filter(id=_account_id(ann)).delete()

        assert (await answers.value(within=A_SECOND))["reason"] == "ACCOUNT_DELETED"


async def test_session_ends_when_its_time_is_over(url: str, ann: Person) -> None:
    async with following(url, ENDED, token=ann.token) as ended, following(url, EVENTS, token=ann.token) as events:
        clock.shift(timedelta(days=7))

        assert (await ended.value(within=A_SECOND))["reason"] == "EXPIRED"
        assert await events.message() == COMPLETE


async def test_api_key_follows_its_account_until_it_is_revoked(url: str, ann: Person) -> None:
    made = (await ann.client.run(CREATE, name="deploy")).expect("ApiKeyCreated")
    other = (await ann.client.run(CREATE, name="other")).expect("ApiKeyCreated")
    async with following(url, EVENTS, token=made["key"]) as events, following(url, ENDED, token=made["key"]) as ended:
        await ann.client.run(SIGN_OUT)
        seen = await events.value(within=A_SECOND)
        session = await _sign_in_again(ann)
        await session.run(REVOKE, ids=[other["apiKey"]["id"]])
        still_open = [await events.value(), await events.value()]
        await session.run(REVOKE, ids=[made["apiKey"]["id"]])

        assert (await ended.value(within=A_SECOND))["reason"] == "API_KEY_REVOKED"
        assert (await events.value())["details"]["name"] == "deploy"
        assert await events.message() == COMPLETE
    assert seen["kind"] == "SIGNED_OUT_EVERYWHERE"
    assert [event["kind"] for event in still_open] == ["SIGNED_IN", "API_KEY_REVOKED"]


@pytest.mark.parametrize("document", [EVENTS, ENDED])
async def test_guest_has_nothing_to_follow(url: str, document: str) -> None:
    async with following(url, document) as answers:
        message, last = await answers.message(), await answers.message()

    assert message is not None
    assert [error["extensions"]["code"] for error in message["data"]["errors"]] == ["UNAUTHENTICATED"]
    assert last == COMPLETE


async def test_bad_token_is_refused_before_a_stream_begins(url: str) -> None:
    async with following(url, EVENTS, token="nonsense") as answers:
        body = json.loads(await answers.response.aread())

    assert answers.response.status_code == 401
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_streams_of_an_account_are_bounded(url: str, ann: Person, bob: Person) -> None:
    opened = [following(url, ENDED, token=ann.token) for _ in range(MOST_STREAMS)]
    await asyncio.gather(*(stream.__aenter__() for stream in opened))

    async with following(url, ENDED, token=ann.token) as refused, following(url, EVENTS, token=bob.token) as of_bob:
        message = await refused.message()
        await bob.client.run(CREATE, name="deploy")
        assert (await of_bob.value())["kind"] == "API_KEY_CREATED"
    await asyncio.gather(*(stream.__aexit__(None, None, None) for stream in opened))
    async with following(url, EVENTS, token=ann.token) as allowed:
        await _eventually_follows(ann, allowed)

    assert message is not None
    assert [error["extensions"]["code"] for error in message["data"]["errors"]] == ["BAD_REQUEST"]


async def test_socket_follows_and_closes_to_an_ended_session(url: str, ann: Person) -> None:
    address, protocols = url.replace("http", "ws") + "/graphql", [Subprotocol("graphql-transport-ws")]
    async with connect(address, subprotocols=protocols) as socket:
        hello = {"type": "connection_init", "payload": {"Authorization": f"Bearer {ann.token}"}}
        await socket.send(json.dumps(hello))
        await socket.recv()
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": ENDED}}))
        await socket.send(json.dumps({"id": "2", "type": "subscribe", "payload": {"query": "{ viewer { email } }"}}))
        viewer, _ = json.loads(await socket.recv()), await socket.recv()
        await ann.client.run(SIGN_OUT)
        ended, complete = json.loads(await socket.recv()), json.loads(await socket.recv())
        await socket.send(json.dumps({"id": "3", "type": "subscribe", "payload": {"query": "{ viewer { email } }"}}))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert viewer["payload"]["data"]["viewer"]["email"] == ann.email
    assert ended["payload"]["data"]["sessionEnded"]["reason"] == "SIGNED_OUT_EVERYWHERE"
    assert complete == {"id": "1", "type": "complete"}
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


async def test_reader_who_keeps_up_gets_all_of_a_burst(url: str, ann: Person) -> None:
    made = [(await ann.client.run(CREATE, name=f"key {number}")).expect("ApiKeyCreated") for number in range(100)]
    async with following(url, EVENTS, token=ann.token) as events:
        await asyncio.gather(
            ann.client.run(REVOKE, ids=[one["apiKey"]["id"] for one in made]), *(_sign_in_again(ann) for _ in range(3))
        )
        seen = [await events.value() for _ in range(103)]

    kinds = [event["kind"] for event in seen]
    assert (kinds.count("API_KEY_REVOKED"), kinds.count("SIGNED_IN")) == (100, 3)
    assert len({event["id"] for event in seen}) == 103


async def test_stream_is_broken_off_when_its_reader_is_too_slow(ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Feed(Credential(_account_id(ann), generation=1), None)
    event = models.SecurityEvent(account_id=_account_id(ann), kind="SIGNED_IN")

    feed.deliver([event] * MOST_WAITING)
    first = await anext(feed)
    feed.deliver([event] * 2)
    in_time = await anext(feed)
    monkeypatch.setattr(feeds, "SLOW_SECONDS", -1)
    feed.deliver([event])

    assert first is in_time is event
    with pytest.raises(StreamBroken):
        await anext(feed)


async def test_no_reader_has_more_waiting_than_there_is_room_for(ann: Person) -> None:
    feed = Feed(Credential(_account_id(ann), generation=1), None)
    event = models.SecurityEvent(account_id=_account_id(ann), kind="SIGNED_IN")

    feed.deliver([event] * MOST_AT_ONCE)
    assert await anext(feed) is event
    feed.deliver([event] * 2)

    with pytest.raises(StreamBroken):
        await anext(feed)


async def test_streams_end_when_the_gateway_stops(gateway: Gateway, url: str, ann: Person) -> None:
    async with following(url, EVENTS, token=ann.token) as answers:
        gateway.begin_to_stop()

        assert await answers.message(within=A_SECOND) is None


async def _sign_in_again(person: Person) -> GraphQLClient:
    started = await person.client.bearing(None).run(LOG_IN, email=person.email, password=person.password)
    return person.client.bearing(started.root["token"])


def _account_id(person: Person) -> UUID:
    account_id = ids.from_global("account", person.account_id)
    assert account_id is not None
    return account_id


async def _eventually_follows(person: Person, answers: LiveAnswers) -> None:
    await person.client.run(CREATE, name="again")
    assert (await answers.value())["details"]["name"] == "again"
