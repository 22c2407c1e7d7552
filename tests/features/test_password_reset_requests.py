import asyncio
import re
from datetime import timedelta

import httpx
import pytest

import models
from kit import clock
from kit.settings import Settings
from models.base import unit_of_work
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox, link_in
from tests.support.people import PASSWORD, Person, sign_up
from tests.support.resets import REQUEST, mailed_token, request, reset, token_in
from tests.support.ways_in import log_in

POISON = {
    "host": "evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "gopher",
    "forwarded": "host=evil.example;proto=gopher",
    "x-original-url": "https://evil.example/",
    "x-rewrite-url": "https://evil.example/",
    "origin": "https://evil.example",
    "referer": "https://evil.example/reset",
    "user-agent": "https://evil.example/now www.evil.example",
}


async def test_unknown_address_is_answered_the_same(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    known, unknown = await request(client), await request(client, "xyz@example.com")

    assert known.root == {"__typename": "MailSentIfKnown", "email": ann.email}
    assert unknown.root == {"__typename": "MailSentIfKnown", "email": "xyz@example.com"}
    assert known.response.headers.keys() == unknown.response.headers.keys()
    assert len(known.response.content) == len(unknown.response.content)
    assert await mailbox.mails("xyz@example.com") == []
    assert await mailbox.mails("") == []


async def test_unknown_address_takes_the_same_statements(
    ann: Person, client: GraphQLClient, caplog: pytest.LogCaptureFixture
) -> None:
    streams = []
    for email in (ann.email, "nobody@example.com"):
        caplog.clear()
        with caplog.at_level("DEBUG", logger="tortoise.db_client"):
            await request(client, email)
        streams.append([touched for record in caplog.records if (touched := statement(record.getMessage()))])

    assert ("writes", "password_resets") in streams[0]
    assert streams[0] == streams[1]


def statement(logged: str) -> tuple[str, str] | None:
    """What a request's statement does to which table; the sender's own statements are left out."""
    found = re.search(r'(INSERT INTO|UPDATE|FROM) "?(\w+)', logged)
    if found is None:
        assert "pg_notify" in logged, logged
        return "notifies", "streams"
    if found[2] == "outgoing_mails" and found[1] != "INSERT INTO":
        return None
    # Each has a table of its own for what happened.
    table = "events" if found[2] in {"security_events", "nobodys_events"} else found[2]
    return ("reads" if found[1] == "FROM" else "writes"), table


async def test_sixth_mail_of_a_day_is_silently_left_out(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    streams = [
        [(await request(client, email)).root["__typename"] for _ in range(8)] for email in (ann.email, "no@x.test")
    ]

    links = [mail for mail in await mailbox.mails(ann.email) if "#resetToken=" in mail["text"]]
    assert streams[0] == streams[1] == ["MailSentIfKnown"] * 8
    assert len(links) == 5
    # Asking on takes nothing away from the owner: the last link that was mailed works.
    (await reset(client, token_in(links[0]))).expect("PasswordReset")


async def test_requests_of_one_client_are_capped(client: GraphQLClient, mailbox: Mailbox) -> None:
    answers = [(await request(client, f"a{number}@x.test")).root for number in range(61)]

    assert {answer["__typename"] for answer in answers[:60]} == {"MailSentIfKnown"}
    assert answers[60]["__typename"] == "TooManyAttempts"
    assert answers[60]["retryAfterSeconds"] > 0


@pytest.mark.parametrize("name", POISON)
async def test_no_header_reaches_the_link(
    ann: Person, client: GraphQLClient, mailbox: Mailbox, settings: Settings, name: str
) -> None:
    await request(client, **{name: POISON[name]})

    mails = await mailbox.mails(ann.email)
    assert "evil.example" not in str(mails)
    # Where the poisoned request is refused as a whole, no mail went out.
    for mail in mails:
        if "#resetToken=" in mail["text"]:
            assert link_in(mail["text"]).startswith(f"{settings.public_url}/graphql#resetToken=reset_")


@pytest.mark.parametrize(
    "twin",
    [
        "m\u0131ke@x.test",
        "\uff4dike@x.test",
        "mi\u200bke@x.test",
        "mike@x.test,eve@x.test",
        "mike@x.test\r\nBcc: eve@x.test",
        "mike@x.test\u0000",
        "mike@x.test eve@x.test",
        "<mike@x.test>",
        "mike@\uff58.test",
    ],
)
async def test_twin_of_an_address_gets_no_mail(client: GraphQLClient, mailbox: Mailbox, twin: str) -> None:
    await sign_up(client, mailbox, email="mike@x.test")
    before = await mailbox.mails()

    (await request(client, twin)).expect("InvalidInput")

    assert await mailbox.mails() == before


async def test_mail_goes_to_the_stored_spelling(client: GraphQLClient, mailbox: Mailbox) -> None:
    await sign_up(client, mailbox, email="Mike@x.test")

    (await request(client, " MIKE@X.TEST ")).expect("MailSentIfKnown")

    (mail,) = [mail for mail in await mailbox.mails() if "#resetToken=" in mail["text"]]
    assert mail["to"] == "Mike@x.test"


@pytest.mark.parametrize("email", [["ann@example.com", "eve@x.test"], {"to": "ann@example.com"}, 7, None])
async def test_address_is_one_text(ann: Person, client: GraphQLClient, mailbox: Mailbox, email: object) -> None:
    before = await mailbox.mails()

    answer = await client.run(REQUEST, email=email)

    assert answer.error_codes
    assert await mailbox.mails() == before


async def test_looking_at_the_link_spends_nothing(
    ann: Person, client: GraphQLClient, mailbox: Mailbox, http: httpx.AsyncClient
) -> None:
    (await request(client)).expect("MailSentIfKnown")
    mail = await mailbox.newest(ann.email)

    pages = [await http.get(link_in(mail["text"]), headers={"accept": "text/html"}) for _ in range(3)]

    assert {page.headers["referrer-policy"] for page in pages} == {"no-referrer"}
    (await reset(client, token_in(mail))).expect("PasswordReset")


async def test_requests_and_sign_ins_at_once_stand_in_nobodys_way(ann: Person, client: GraphQLClient) -> None:
    (await request(client)).expect("MailSentIfKnown")

    answers = await asyncio.gather(
        *(request(client) for _ in range(4)), *(log_in(client, ann.email, PASSWORD) for _ in range(6))
    )

    assert [answer.root["__typename"] for answer in answers] == ["MailSentIfKnown"] * 4 + ["SessionStarted"] * 6


async def test_no_token_rests_in_the_clear(ann: Person, client: GraphQLClient, mailbox: Mailbox) -> None:
    token = await mailed_token(client, mailbox)

    rows = await models.PasswordReset.all().values()
    mails = await models.OutgoingMail.all().values()

    assert len(rows) == 1
    assert token not in str(rows) + str(mails)


async def test_expired_links_are_purged(ann: Person, client: GraphQLClient) -> None:
    await request(client)
    await request(client, "nobody@example.com")
    clock.shift(timedelta(minutes=61))

    async with unit_of_work():
        purged = await models.PasswordReset.purge()

    assert purged == 2
    assert await models.PasswordReset.all().count() == 0
