"""The outbox: its order, its claims, what rests in it, and what happens when a mail cannot leave."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import parseaddr

import pytest

from kit import clock
from kit.keyring import Keyring
from kit.settings import Settings
from mails import sender
from mails.sender import Sender
from mails.transports import MailNotSent
from models import Message, OutgoingMail, database
from models.base import unit_of_work
from process.gateway import Gateway
from tests.features.test_api_keys import CREATE, make
from tests.support.graphql_client import GraphQLClient
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD, SIGN_UP, Person


class Post:
    """A transport that remembers what it was handed, and fails while it is told to."""

    keeps_text = False

    def __init__(self) -> None:
        self.handed: list[tuple[str, str]] = []
        self.failing: Exception | None = None

    async def send(self, message: Message, *, mail_id: str) -> None:
        if self.failing:
            raise self.failing
        self.handed.append((mail_id, message.subject))
        # Lets another sender have a go.
        await asyncio.sleep(0)

    async def check(self) -> None:
        return

    async def rest(self) -> None:
        return


@pytest.fixture
def keyring(settings: Settings) -> Keyring:
    return Keyring(settings.secret_keys)


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[None]:
    """A database without a gateway on it, and so without a sender that works on it too."""
    context = await database.open_database(database_url)
    yield
    await database.close_database(context)


async def queue(keyring: Keyring, *subjects: str) -> None:
    async with unit_of_work():
        for subject in subjects:
            await OutgoingMail.queue(
                Message("eve@example.com", subject, "text"), address="eve@example.com", account_id=None, keyring=keyring
            )
            clock.shift(timedelta(milliseconds=2))


async def test_outbox_shows_the_newest_first_as_the_contract_says(ann: Person, bob: Person, mailbox: Mailbox) -> None:
    await make(ann)
    mails = await mailbox.mails()

    assert [mail["to"] for mail in mails] == [ann.email, bob.email, ann.email]
    assert all(mail.keys() == {"to", "subject", "text", "sentAt"} for mail in mails)
    assert all(mail["sentAt"].endswith("Z") for mail in mails)
    assert [mail["sentAt"] for mail in mails] == sorted((mail["sentAt"] for mail in mails), reverse=True)


async def test_outbox_keeps_to_the_last_hundred(gateway: Gateway, keyring: Keyring, mailbox: Mailbox) -> None:
    await queue(keyring, *(f"mail {number}" for number in range(103)))

    subjects = [mail["subject"] for mail in await mailbox.mails()]

    assert subjects == [f"mail {number}" for number in range(102, 2, -1)]


async def test_mail_rests_sealed(client: GraphQLClient, mailbox: Mailbox) -> None:
    await client.run(SIGN_UP, email="eve@example.com", password=PASSWORD)
    code = await mailbox.code("eve@example.com")

    (row,) = await OutgoingMail.all().values()
    assert code not in str(row)
    assert "eve" not in str(row).replace("True", "")
    assert "Gatehouse" not in str(row)


async def test_mail_of_another_row_does_not_open(gateway: Gateway, keyring: Keyring) -> None:
    await queue(keyring, "first", "second")
    first, second = await OutgoingMail.all().order_by("id")
    first.sealed, second.sealed = second.sealed, first.sealed
    await first.save(update_fields=["sealed"])
    await second.save(update_fields=["sealed"])
    post = Post()

    await Sender(post, keyring).send_due()

    assert post.handed == []
    assert await OutgoingMail.filter(sent_at=None).count() == 2


async def test_two_senders_at_once_send_each_mail_once_and_in_order(
    settings: Settings, keyring: Keyring, own_database: None
) -> None:
    await queue(keyring, *(f"mail {number:02}" for number in range(50)))
    post = Post()
    postmen = [Sender(post, keyring) for _ in range(4)]

    await asyncio.gather(*(postman.send_due() for postman in postmen))

    assert sorted(subject for _, subject in post.handed) == [f"mail {number:02}" for number in range(50)]
    assert await OutgoingMail.filter(sent_at=None).count() == 0


async def test_text_is_wiped_once_it_is_sent(own_database: None, keyring: Keyring) -> None:
    await queue(keyring, "first")

    await Sender(Post(), keyring).send_due()

    row = await OutgoingMail.get()
    assert row.sealed is None
    assert row.sent_at is not None


async def test_mail_that_cannot_leave_waits_longer_each_time(own_database: None, keyring: Keyring) -> None:
    await queue(keyring, "first")
    post, waits = Post(), []
    post.failing = MailNotSent("nobody answers")
    postman = Sender(post, keyring)
    for _ in range(4):
        before = clock.now()
        await postman.send_due()
        row = await OutgoingMail.get()
        waits.append((row.due_at - before).total_seconds())
        await postman.send_due()
        clock.shift(row.due_at - clock.now() + timedelta(seconds=1))
    post.failing = None
    await postman.send_due()

    assert [round(wait / 5) for wait in waits] == [1, 2, 4, 8]
    assert [subject for _, subject in post.handed] == ["first"]
    assert (await OutgoingMail.get()).attempts == 5


async def test_mail_that_breaks_the_transport_holds_up_no_other(own_database: None, keyring: Keyring) -> None:
    await queue(keyring, "poison")
    poison = await OutgoingMail.get()
    post = Post()

    class Fragile(Post):
        async def send(self, message: Message, *, mail_id: str) -> None:
            if mail_id == str(poison.id):
                raise UnicodeError("nobody thought of this")
            await post.send(message, mail_id=mail_id)

    await queue(keyring, "second", "third")
    await Sender(Fragile(), keyring).send_due()

    assert [subject for _, subject in post.handed] == ["second", "third"]
    row = await OutgoingMail.get(sent_at=None)
    assert (row.id, row.claimed_until) == (poison.id, None)
    assert row.due_at > clock.now()


async def test_claim_of_a_sender_that_died_ends(own_database: None, keyring: Keyring) -> None:
    await queue(keyring, "first")
    async with unit_of_work():
        claimed = await OutgoingMail.claim_due(at_most=20)
    post = Post()
    await Sender(post, keyring).send_due()
    at_once = list(post.handed)
    clock.shift(timedelta(minutes=2, seconds=1))
    await Sender(post, keyring).send_due()

    assert len(claimed) == 1
    assert at_once == []
    assert len(post.handed) == 1


async def test_outbox_sees_out_what_another_process_is_sending(
    gateway: Gateway, keyring: Keyring, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "OTHERS_SECONDS", 60.0)
    (claimed,) = await claimed_elsewhere(keyring)
    reading = asyncio.create_task(mailbox.newest("eve@example.com"))
    await asyncio.wait({reading}, timeout=0.2)
    waited = not reading.done()
    async with unit_of_work():
        await claimed.note_sent(keep_text=True)

    assert waited
    assert (await reading)["subject"] == "first"


async def test_claim_of_a_process_that_died_does_not_hold_the_outbox_up(
    gateway: Gateway, keyring: Keyring, ann: Person, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "OTHERS_SECONDS", 0.05)
    await claimed_elsewhere(keyring)

    assert [mail["to"] for mail in await mailbox.mails()] == [ann.email]


async def claimed_elsewhere(keyring: Keyring) -> list[OutgoingMail]:
    """A mail that was queued and claimed in one go, so that this process's sender can't be first."""
    async with unit_of_work():
        await OutgoingMail.queue(
            Message("eve@example.com", "first", "text"), address="eve@example.com", account_id=None, keyring=keyring
        )
        return await OutgoingMail.claim_due(at_most=20)


async def test_nothing_is_mailed_without_a_commit(own_database: None, keyring: Keyring) -> None:
    with pytest.raises(RuntimeError, match="on the way"):
        await fail_after_queueing(keyring)
    post = Post()
    await Sender(post, keyring).send_due()

    assert post.handed == []
    assert await OutgoingMail.all().count() == 0


async def fail_after_queueing(keyring: Keyring) -> None:
    async with unit_of_work():
        await OutgoingMail.queue(
            Message("eve@example.com", "s", "t"), address="eve@example.com", account_id=None, keyring=keyring
        )
        raise RuntimeError("on the way")


async def test_refused_operation_mails_nothing(ann: Person, mailbox: Mailbox) -> None:
    before = await mailbox.mails()

    (await ann.client.run(CREATE, name="")).expect("InvalidInput")
    clock.shift(timedelta(hours=1))
    (await ann.client.run(CREATE, name="k")).expect("StepUpRequired")

    assert await mailbox.mails() == before


async def test_mail_reaches_one_address_and_names_cannot_reach_its_head(ann: Person, mailbox: Mailbox) -> None:
    await make(ann, "Bcc: eve@example.com $code ${address} \u00ab%s\u00bb")
    mail = await mailbox.newest(ann.email)

    assert parseaddr(mail["to"])[1] == mail["to"] == ann.email
    assert "\n" not in mail["subject"]
    assert "Bcc: eve@example.com $code ${address}" in mail["text"]


async def test_new_key_seals_and_old_one_still_opens(own_database: None, keyring: Keyring, settings: Settings) -> None:
    await queue(keyring, "old")
    rotated = Keyring((b"n" * 31 + b"!", *settings.secret_keys))
    resealed = await OutgoingMail.reseal(rotated)
    again = await OutgoingMail.reseal(rotated)
    alone = Keyring((b"n" * 31 + b"!",))
    post = Post()
    await Sender(post, alone).send_due()

    assert (resealed, again) == (1, 0)
    assert [subject for _, subject in post.handed] == ["old"]


async def test_mail_under_a_key_that_is_gone_stops_neither_outbox_nor_rotation(
    gateway: Gateway, keyring: Keyring, mailbox: Mailbox
) -> None:
    stranger = Keyring((b"s" * 31 + b"!",))
    await queue(keyring, "readable")
    await OutgoingMail.queue(
        Message("eve@example.com", "lost", "t"), address="eve@example.com", account_id=None, keyring=stranger
    )
    await OutgoingMail.filter().update(sent_at=clock.now())

    shown = await mailbox.mails()
    resealed = await OutgoingMail.reseal(Keyring((b"n" * 31 + b"!", *gateway.settings.secret_keys)))

    assert [mail["subject"] for mail in shown] == ["readable"]
    assert resealed == 1
