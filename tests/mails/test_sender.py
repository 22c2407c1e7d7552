import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

import models
from kit import clock
from kit.keyring import Keyring
from mails.sender import MOST_REFUSALS, Sender
from mails.transports import NoTransport
from mails.transports.smtp import SmtpTransport
from models import Message, OutgoingMail, database
from models.base import unit_of_work
from tests.support.mail_server import MailServer, running_mail_server

SUBJECT = "A subject"


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[None]:
    """The database, with no gateway upon it."""
    context = await database.open_database(database_url)
    yield
    await database.close_database(context)


@pytest.fixture
def keyring() -> Keyring:
    return Keyring([os.urandom(32)])


async def queue(keyring: Keyring, *recipients: str) -> None:
    async with unit_of_work():
        for to in recipients:
            await OutgoingMail.queue(
                Message(to, SUBJECT, "Hello\n\n123456\n"), address=to, account_id=None, keyring=keyring
            )


def sender_to(server: MailServer, keyring: Keyring, answer_seconds: float = 5) -> Sender:
    way_out = SmtpTransport(server.url("smtp+plain"), sender="no-reply@example.org", answer_seconds=answer_seconds)
    return Sender(way_out, keyring)


async def test_text_rests_sealed_and_is_wiped_once_sent(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "ann@example.com")
    (waiting,) = await OutgoingMail.all().values()

    with running_mail_server() as server:
        await sender_to(server, keyring).send_due()

    (sent,) = await OutgoingMail.all().values()
    assert "123456" not in str(waiting["sealed"])
    assert "ann@" not in str(waiting)
    assert (sent["sealed"], sent["sent_at"] is None) == (None, False)
    assert [delivery.recipients for delivery in server.deliveries] == [["ann@example.com"]]


async def test_senders_side_by_side_send_each_mail_once(opened: None, keyring: Keyring) -> None:
    people = [f"a{number}@x.test" for number in range(30)]
    await queue(keyring, *people)

    with running_mail_server() as server:
        await asyncio.gather(*(sender_to(server, keyring).send_due() for _ in range(3)))

    assert sorted(delivery.recipients[0] for delivery in server.deliveries) == sorted(people)


async def test_decoy_goes_nowhere(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "")

    with running_mail_server() as server:
        await sender_to(server, keyring).send_due()

    (row,) = await OutgoingMail.all().values()
    assert (row["sealed"], row["sent_at"] is None) == (None, False)
    assert (server.deliveries, server.connections) == ([], 0)


async def test_what_a_dead_sender_had_claimed_goes_out_later(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "ann@example.com", "bob@example.com")
    with running_mail_server() as server:
        server.stalls = True
        dying = asyncio.create_task(sender_to(server, keyring).send_due())
        await asyncio.to_thread(server.has_text.wait, 5)
        dying.cancel()
        await asyncio.wait([dying])
        server.stalls = False

        heir = sender_to(server, keyring)
        await heir.send_due()
        at_once = len(server.deliveries)
        clock.shift(models.outgoing_mail.CLAIM)
        await heir.send_due()

    assert at_once == 0
    assert sorted(delivery.recipients[0] for delivery in server.deliveries) == ["ann@example.com", "bob@example.com"]


async def test_mail_waits_longer_and_longer_for_an_absent_server(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "ann@example.com")
    with running_mail_server() as server:
        pass
    sender, waits = sender_to(server, keyring), []

    for _ in range(4):
        await sender.send_due()
        (mail,) = await OutgoingMail.all()
        waits.append(round((mail.due_at - clock.now()).total_seconds()))
        clock.shift(mail.due_at - clock.now())

    assert waits == [5, 10, 20, 40]
    assert await OutgoingMail.filter(sealed__isnull=False, sent_at__isnull=True).count() == 1


async def test_one_message_id_however_often_it_is_tried(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "ann@example.com")
    with running_mail_server() as server:
        sender = sender_to(server, keyring)
        await sender.send_due()
        # As after a crash between the server's answer and the note of it.
        (mail,) = await OutgoingMail.all()
        async with unit_of_work():
            await OutgoingMail.filter(id=mail.id).delete()
            again = OutgoingMail(id=mail.id, address_digest=mail.address_digest)
            await queue_again(again, keyring)
        await sender.send_due()

    ids = [delivery.letter["Message-ID"] for delivery in server.deliveries]
    assert ids == [f"<{mail.id}@example.org>"] * 2


async def queue_again(mail: OutgoingMail, keyring: Keyring) -> None:
    text = b'{"to": "ann@example.com", "subject": "A subject", "text": "Hello"}'
    mail.sealed = keyring.seal(text, purpose=models.outgoing_mail.PURPOSE, bound_to=str(mail.id))
    await mail.save(force_create=True)


async def test_refused_recipient_is_given_up_and_holds_nobody_up(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "gone@example.com")
    with running_mail_server() as server:
        server.recipient_answer = "550 unknown"
        sender = sender_to(server, keyring)
        for _ in range(MOST_REFUSALS):
            await sender.send_due()
            clock.shift(timedelta(hours=1))
        left = await OutgoingMail.all().count()
        server.recipient_answer = "250 OK"
        await queue(keyring, "ann@example.com")
        await sender.send_due()

    assert left == 0
    assert [delivery.recipients for delivery in server.deliveries] == [["ann@example.com"]]


async def test_mail_is_given_up_after_days(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "ann@example.com")
    sender = Sender(NoTransport(), keyring)
    await sender.send_due()
    waiting = await OutgoingMail.all().count()

    clock.shift(timedelta(days=4, seconds=1))
    await sender.send_due()

    assert (waiting, await OutgoingMail.all().count()) == (1, 0)


async def test_mail_that_no_key_opens_holds_nobody_up(opened: None, keyring: Keyring) -> None:
    await queue(Keyring([os.urandom(32)]), "lost@example.com")
    await queue(keyring, "ann@example.com")

    with running_mail_server() as server:
        await sender_to(server, keyring).send_due()

    assert [delivery.recipients for delivery in server.deliveries] == [["ann@example.com"]]
    assert await OutgoingMail.filter(sent_at__isnull=True).count() == 1


async def test_claims_that_would_run_out_are_given_back(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "ann@example.com")
    async with unit_of_work():
        (mail,) = await OutgoingMail.claim_due(at_most=1)
    clock.shift(models.outgoing_mail.CLAIM - timedelta(seconds=10))

    lasts = mail.is_claimed_for(timedelta(seconds=30))
    async with unit_of_work():
        await mail.release()

    (row,) = await OutgoingMail.all()
    assert not lasts
    assert (row.claimed_until, row.attempts) == (None, 0)


async def test_late_sender_does_not_release_its_heirs_claim(opened: None, keyring: Keyring) -> None:
    await queue(keyring, "ann@example.com")
    async with unit_of_work():
        (late,) = await OutgoingMail.claim_due(at_most=1)
    clock.shift(models.outgoing_mail.CLAIM)
    async with unit_of_work():
        (heirs,) = await OutgoingMail.claim_due(at_most=1)

    async with unit_of_work():
        await late.put_off(clock.now())
        await late.give_up()

    (row,) = await OutgoingMail.all()
    assert row.claimed_until == heirs.claimed_until
