"""The sender: takes due mails out of the outbox table and hands them to a transport, at least once each."""

import asyncio
from datetime import timedelta

import structlog

from kit import clock, metrics
from kit.errors import Unavailable
from kit.keyring import Keyring, SealBroken
from mails.transports.base import SLOWEST_SECONDS, MailNotSent, MailRefused, Transport
from models import OutgoingMail
from models.base import unit_of_work

log = structlog.get_logger("gatehouse.mail")

AT_ONCE = 20
LOOK_EVERY_SECONDS = 2.0
"""How often the table is looked at without being woken: another process may have queued a mail and died."""

LONGEST_WAIT = timedelta(hours=1)
MOST_REFUSALS = 8
"""After so many tries, over ten minutes, a mail that the server refuses for good is given up."""

OLDEST = timedelta(days=4)
"""When a mail that could not be sent is given up, whatever the reason (RFC 5321 section 4.5.4.1)."""

SLOWEST = timedelta(seconds=SLOWEST_SECONDS)

OTHERS_SECONDS = 2.0
"""How long `GET /outbox` waits for mails that another process has claimed; not for ever, since that one may be dead."""

LOOK_AGAIN_SECONDS = 0.01


class Sender:
    """The loop that empties the outbox. `wake` may be called at any time."""

    def __init__(self, transport: Transport, keyring: Keyring) -> None:
        self._transport = transport
        self._keyring = keyring
        self._awake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._stopping = False

    def wake(self) -> None:
        """There is a mail: don't wait for the next look."""
        self._awake.set()

    def stop(self) -> None:
        """End `run` after the mail that is being sent."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Send until stopped. Nothing that goes wrong with one mail or one look ends it."""
        while not self._stopping:
            try:
                await self.send_due()
            except Unavailable:
                log.warning("outbox_unreadable")
            except Exception:
                log.exception("sender_failed")
            await self._doze()

    async def _doze(self) -> None:
        try:
            await asyncio.wait_for(self._awake.wait(), LOOK_EVERY_SECONDS)
        except TimeoutError:
            return
        finally:
            self._awake.clear()

    async def send_due(self) -> None:
        """Send all that is due now."""
        async with self._one_at_a_time:
            try:
                while not self._stopping and (claimed := await self._claim()):
                    await self._send_all(claimed)
            finally:
                await self._transport.rest()

    async def _send_all(self, claimed: list[OutgoingMail]) -> None:
        for mail in claimed:
            # A mail is sent only while nobody else may take it up: behind a slow server, claims run out.
            if self._stopping or not mail.is_claimed_for(SLOWEST):
                async with unit_of_work():
                    await mail.release()
            else:
                await self._send(mail)

    async def newest_sent(self) -> list[dict[str, str]]:
        """What `GET /outbox` shows: the mails of the development transport, newest first, with all that is due sent."""
        await self._send_due_everywhere()
        shown = []
        for mail in await OutgoingMail.newest_sent():
            try:
                message = mail.unseal(self._keyring)
            except SealBroken:
                # Sealed under a key that was taken out of the settings since.
                continue
            sent_at = mail.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if mail.sent_at else ""
            shown.append({"to": message.to, "subject": message.subject, "text": message.text, "sentAt": sent_at})
        return shown

    async def _send_due_everywhere(self) -> None:
        """Send all that is due now, and see out what other processes are sending.

        The worker that queued a mail is often still sending it when somebody asks another worker for it.
        """
        until = asyncio.get_running_loop().time() + OTHERS_SECONDS
        await self.send_due()
        while await OutgoingMail.any_claimed() and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            await self.send_due()

    async def _claim(self) -> list[OutgoingMail]:
        if not await OutgoingMail.any_due():
            return []
        async with unit_of_work():
            return await OutgoingMail.claim_due(at_most=AT_ONCE)

    async def _send(self, mail: OutgoingMail) -> None:
        try:
            message = mail.unseal(self._keyring)
            if not message.is_decoy:
                await self._transport.send(message, mail_id=str(mail.id))
        except (MailNotSent, SealBroken) as error:
            metrics.MAILS.labels("put_off").inc()
            log.warning("mail_not_sent", id=str(mail.id), attempts=mail.attempts, reason=str(error))
            await self._put_off(mail, refused=isinstance(error, MailRefused))
        except Exception:
            # A mail that nobody thought of must not hold up those behind it.
            log.exception("mail_failed", id=str(mail.id), attempts=mail.attempts)
            await self._put_off(mail, refused=True)
        else:
            async with unit_of_work():
                await mail.note_sent(keep_text=self._transport.keeps_text and not message.is_decoy)
            metrics.MAILS.labels("sent").inc()

    async def _put_off(self, mail: OutgoingMail, *, refused: bool) -> None:
        now = clock.now()
        async with unit_of_work():
            if (refused and mail.attempts >= MOST_REFUSALS) or now - mail.created_at > OLDEST:
                log.error("mail_given_up", id=str(mail.id), attempts=mail.attempts)
                await mail.give_up()
            else:
                await mail.put_off(now + _wait_after(mail.attempts))


def _wait_after(attempts: int) -> timedelta:
    """Growing waits: 5 s, 10 s, 20 s, … up to an hour."""
    return min(timedelta(seconds=5 * 2 ** min(attempts - 1, 10)), LONGEST_WAIT)
