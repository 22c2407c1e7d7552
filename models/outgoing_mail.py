"""The outbox: mails written in the transaction that causes them, sent afterwards, at least once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
import structlog
from tortoise import fields
from tortoise.expressions import F, Q
from tortoise.queryset import QuerySet

from kit import clock
from kit.keyring import Keyring, SealBroken
from models.base import Row

log = structlog.get_logger("gatehouse.mail")

PURPOSE = "mail"
_ACCOUNT_PURPOSE = "mail-account"
_NOBODY = UUID(int=0)
CLAIM = timedelta(minutes=2)
"""How long one sender may take over a mail before another may try it."""

KEPT_FOR_THE_OUTBOX = 100


@dataclass(frozen=True, slots=True)
class Message:
    """A mail to one address, or to nobody: a decoy, which costs what a mail costs and goes nowhere."""

    to: str
    subject: str
    text: str

    @property
    def is_decoy(self) -> bool:
        """Whether it is to nobody."""
        return not self.to


class OutgoingMail(Row):
    """A mail on its way. Its text rests sealed, and is wiped once it is sent (the development outbox keeps it)."""

    address_digest = fields.CharField(max_length=80, db_index=True)
    # Whose mail it is, since an address passes from one account to another. No foreign key: its check would wait for a
    # deletion in flight, and tell who signs up with a known address. And no plain id: a mail in flight outlives it.
    account_digest = fields.CharField(max_length=80, null=True)
    sealed: str | None = fields.TextField(null=True)
    due_at = fields.DatetimeField(default=clock.now)
    claimed_until = fields.DatetimeField(null=True)
    attempts = fields.IntField(default=0)
    sent_at = fields.DatetimeField(null=True)

    class Meta:
        table = "outgoing_mails"
        # Not db_index for the account's: a migration that adds a column leaves out the index of its own.
        indexes = (("sent_at", "due_at"), ("account_digest",))

    @classmethod
    async def queue(
        cls, message: Message, *, address: str, account_id: UUID | None, keyring: Keyring
    ) -> "OutgoingMail":
        """Put a mail into the outbox, in the present unit of work.

        `address` is the canonical one; `account_id` says whose mail it is, and is None where only an address is known.
        """
        mail = cls._made(message, address, account_id, keyring)
        await mail.save(force_create=True)
        return mail

    @classmethod
    async def queue_many(cls, mails: Sequence[tuple[Message, str, UUID | None]], *, keyring: Keyring) -> None:
        """Put many mails into the outbox, each with its canonical address and its account as in `queue`."""
        rows = [cls._made(message, address, account_id, keyring) for message, address, account_id in mails]
        await cls.bulk_create(rows, batch_size=1_000)

    @classmethod
    def _made(cls, message: Message, address: str, account_id: UUID | None, keyring: Keyring) -> "OutgoingMail":
        # SECURITY: computed for nobody too, so that an address without an account costs the same (ASVS 6.3.8).
        account_digest = keyring.keyed_digest(str(account_id or _NOBODY), purpose=_ACCOUNT_PURPOSE)
        mail = cls(
            address_digest=keyring.keyed_digest(address, purpose=PURPOSE),
            account_digest=account_digest if account_id else None,
        )
        mail.sealed = keyring.seal(orjson.dumps(asdict(message)), purpose=PURPOSE, bound_to=str(mail.id))
        return mail

    @classmethod
    async def drop(cls, account_id: UUID, *, address: str, keyring: Keyring) -> None:
        """Remove an account's mails, and all that went or wait to go to a canonical address, whoever's they are."""
        to_the_address = Q(address_digest__in=keyring.keyed_digests(address, purpose=PURPOSE))
        await cls.filter(_are_of(account_id, keyring) | to_the_address).delete()

    @classmethod
    def of(cls, account_id: UUID, *, keyring: Keyring) -> QuerySet["OutgoingMail"]:
        """All mails of an account, whatever address they went to."""
        return cls.filter(_are_of(account_id, keyring))

    def unseal(self, keyring: Keyring) -> Message:
        """The mail itself. Raises SealBroken when it was tampered with or wiped."""
        return Message(**orjson.loads(keyring.open(self.sealed or "", purpose=PURPOSE, bound_to=str(self.id))))

    @classmethod
    async def any_due(cls) -> bool:
        """Whether there is anything to claim: a look that starts no transaction."""
        now = clock.now()
        unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        return await cls.filter(unclaimed, sent_at__isnull=True, due_at__lte=now).exists()

    @classmethod
    async def any_claimed(cls) -> bool:
        """Whether a sender has mails in its hands."""
        return await cls.filter(sent_at__isnull=True, claimed_until__gt=clock.now()).exists()

    @classmethod
    async def claim_due(cls, *, at_most: int) -> list["OutgoingMail"]:
        """Mails to send now. Each is claimed by one conditional update, so no two processes send the same one."""
        now = clock.now()
        unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
        due = await cls.filter(unclaimed, sent_at__isnull=True, due_at__lte=now).order_by("due_at", "id").limit(at_most)
        claimed = []
        for mail in due:
            won = await cls.filter(unclaimed, id=mail.id, sent_at__isnull=True).update(
                claimed_until=now + CLAIM, attempts=F("attempts") + 1
            )
            if won:
                mail.attempts += 1
                mail.claimed_until = now + CLAIM
                claimed.append(mail)
        return claimed

    def is_claimed_for(self, span: timedelta) -> bool:
        """Whether the claim lasts that long from now, so that nobody else takes the mail up meanwhile."""
        return self.claimed_until is not None and self.claimed_until - clock.now() >= span

    async def release(self) -> None:
        """Give a claimed mail back untried."""
        await self._still_ours().update(claimed_until=None, attempts=F("attempts") - 1)

    def _still_ours(self) -> QuerySet["OutgoingMail"]:
        # The count of attempts tells this claim from a later one, of a sender that took the mail over.
        return OutgoingMail.filter(id=self.id, sent_at__isnull=True, attempts=self.attempts)

    async def note_sent(self, *, keep_text: bool) -> None:
        """It is out: it will not be sent again."""
        self.sent_at = clock.now()
        if not keep_text:
            self.sealed = None
        await self.save(update_fields=["sent_at", "sealed"])

    async def put_off(self, until: datetime) -> None:
        """It could not be sent: try again later."""
        await self._still_ours().update(due_at=until, claimed_until=None)

    async def give_up(self) -> None:
        """It never will be sent: nothing of it is kept."""
        await self._still_ours().delete()

    @classmethod
    async def reseal(cls, keyring: Keyring) -> int:
        """Seal anew, under the newest key, what rests under an older one. Returns how many mails that were."""
        resealed = 0
        async for mail in cls.filter(sealed__isnull=False):
            if keyring.is_newest(mail.sealed or ""):
                continue
            try:
                plain = keyring.open(mail.sealed or "", purpose=PURPOSE, bound_to=str(mail.id))
            except SealBroken as error:
                log.warning("mail_unreadable", id=str(mail.id), reason=str(error))
                continue
            sealed = keyring.seal(plain, purpose=PURPOSE, bound_to=str(mail.id))
            resealed += await cls.filter(id=mail.id, sealed=mail.sealed).update(sealed=sealed)
        return resealed

    @classmethod
    async def newest_sent(cls) -> list["OutgoingMail"]:
        """The last mails that went out with their text kept, newest first."""
        return await cls.filter(sent_at__isnull=False, sealed__isnull=False).order_by("-id").limit(KEPT_FOR_THE_OUTBOX)

    @classmethod
    async def purge(cls, *, sent_before: datetime) -> int:
        """Remove what went out long ago."""
        return await cls.filter(sent_at__lt=sent_before).delete()


def _are_of(account_id: UUID, keyring: Keyring) -> Q:
    return Q(account_digest__in=keyring.keyed_digests(str(account_id), purpose=_ACCOUNT_PURPOSE))
