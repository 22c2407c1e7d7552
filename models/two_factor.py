"""The second factor: the paired authenticator app, the recovery codes, and sign-ins that wait for either."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from tortoise import fields
from tortoise.expressions import F, Q
from tortoise.queryset import QuerySet

from kit import clock, recovery_codes, tokens
from kit.keyring import Keyring, SealBroken
from models.accounts import Account
from models.base import Row

log = structlog.get_logger("gatehouse.two_factor")

PAIRING_LIFETIME = timedelta(minutes=15)
TICKET_LIFETIME = timedelta(minutes=10)
TICKET_TRIES = 5
_SECRET = "totp-secret"  # noqa: S105 - a purpose of the keyring
_RECOVERY_KEY = "recovery-code-key"


class TotpDevice(Row):
    """The authenticator app of an account: pending until a code confirms it. Its secret rests sealed to the account."""

    account: fields.OneToOneRelation[Account] = fields.OneToOneField("models.Account", related_name=False)
    account_id: UUID
    secret_sealed = fields.CharField(max_length=255)
    # The recovery codes' hashes are keyed by it, so that keys of the installation can be replaced without the codes.
    recovery_key_sealed = fields.CharField(max_length=255, null=True)
    pending_until = fields.DatetimeField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    last_step = fields.BigIntField(null=True)
    told_step = fields.BigIntField(null=True)

    class Meta:
        table = "totp_devices"

    @classmethod
    async def begin(cls, account: Account, raw_secret: str, keyring: Keyring) -> datetime:
        """A pairing that waits for its first code, in place of whatever was there; returns when it expires.

        The account's row must be locked.
        """
        await cls.filter(account_id=account.id).delete()
        sealed = keyring.seal(raw_secret.encode(), purpose=_SECRET, bound_to=str(account.id))
        pending_until = clock.now() + PAIRING_LIFETIME
        await cls.create(account_id=account.id, secret_sealed=sealed, pending_until=pending_until)
        return pending_until

    @classmethod
    async def find_pending(cls, account_id: UUID) -> "TotpDevice | None":
        """The pairing that the account has begun, unless it has expired."""
        return await cls.filter(account_id=account_id, confirmed_at=None, pending_until__gt=clock.now()).first()

    @classmethod
    async def find_confirmed(cls, account_id: UUID) -> "TotpDevice | None":
        """The app that the account is proved with."""
        return await cls.filter(account_id=account_id, confirmed_at__isnull=False).first()

    @classmethod
    async def remove(cls, account: Account) -> None:
        """Wipe the secret and all recovery codes."""
        await cls.filter(account_id=account.id).delete()
        await RecoveryCode.filter(account_id=account.id).delete()

    def unseal_secret(self, keyring: Keyring) -> str:
        """The secret in base32. Raises SealBroken when it was changed, or stood in another account's row."""
        return keyring.open(self.secret_sealed, purpose=_SECRET, bound_to=str(self.account_id)).decode()

    def unseal_recovery_key(self, keyring: Keyring) -> bytes:
        """The key of the recovery codes' hashes. Raises SealBroken."""
        return keyring.open(self.recovery_key_sealed or "", purpose=_RECOVERY_KEY, bound_to=str(self.account_id))

    async def confirm(self, step: int) -> bool:
        """Make it the account's app and spend the step that proved it. False when it is pending no more."""
        now = clock.now()
        pending = TotpDevice.filter(id=self.id, confirmed_at=None, pending_until__gt=now)
        return await pending.update(confirmed_at=now, pending_until=None, last_step=step) == 1

    async def accept(self, step: int) -> bool:
        """Spend a time step for good (RFC 6238 section 5.2). False when it, or a later one, was spent.

        One conditional update, so that of any number of requests with the same code one wins.
        """
        unspent = Q(last_step__isnull=True) | Q(last_step__lt=step)
        return await TotpDevice.filter(unspent, id=self.id).update(last_step=step) == 1

    async def note_told(self, step: int) -> None:
        """Someone was told that their code is the one of this step, which is yet to come."""
        await TotpDevice.filter(id=self.id).update(told_step=step)

    @classmethod
    async def reseal(cls, keyring: Keyring) -> int:
        """Seal anew, under the newest key, what rests under an older one. Returns how many apps that were."""
        resealed = 0
        async for device in cls.all():
            try:
                resealed += await device.seal_anew(keyring)
            except SealBroken:
                log.exception("seal_broken", account=str(device.account_id))
        return resealed

    async def seal_anew(self, keyring: Keyring) -> int:
        """Under the newest key. Returns how many rows that changed. Raises SealBroken."""
        former = {"secret_sealed": self.secret_sealed, "recovery_key_sealed": self.recovery_key_sealed}
        if all(sealed is None or keyring.is_newest(sealed) for sealed in former.values()):
            return 0
        owner = str(self.account_id)
        fresh = {"secret_sealed": keyring.seal(self.unseal_secret(keyring).encode(), purpose=_SECRET, bound_to=owner)}
        if self.recovery_key_sealed:
            key = self.unseal_recovery_key(keyring)
            fresh["recovery_key_sealed"] = keyring.seal(key, purpose=_RECOVERY_KEY, bound_to=owner)
        return await TotpDevice.filter(id=self.id, **former).update(**fresh)

    @classmethod
    async def purge(cls) -> int:
        """Remove pairings that nobody finished."""
        return await cls.filter(confirmed_at=None, pending_until__lte=clock.now()).delete()


class RecoveryCode(Row):
    """The keyed hash of a recovery code that is not used yet."""

    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", related_name=False)
    account_id: UUID
    digest = fields.CharField(max_length=64)

    class Meta:
        table = "recovery_codes"
        unique_together = (("account_id", "digest"),)

    @classmethod
    async def issue(cls, device: TotpDevice, keyring: Keyring) -> list[str]:
        """A new set in place of the old one. The raw codes leave here once and are never stored."""
        raw_codes, key = recovery_codes.new_codes(), recovery_codes.new_key()
        sealed = keyring.seal(key, purpose=_RECOVERY_KEY, bound_to=str(device.account_id))
        await TotpDevice.filter(id=device.id).update(recovery_key_sealed=sealed)
        await cls.filter(account_id=device.account_id).delete()
        await cls.bulk_create(
            [cls(account_id=device.account_id, digest=recovery_codes.digest(raw_code, key)) for raw_code in raw_codes]
        )
        return raw_codes

    @classmethod
    async def consume(cls, device: TotpDevice, raw_code: str, keyring: Keyring) -> bool:
        """Use a code up: one conditional delete. False when there is no such code. Raises SealBroken."""
        digest = recovery_codes.digest(raw_code, device.unseal_recovery_key(keyring))
        return digest is not None and await cls.filter(account_id=device.account_id, digest=digest).delete() == 1

    @classmethod
    async def remaining(cls, account_id: UUID) -> int:
        """How many codes are left."""
        return await cls.filter(account_id=account_id).count()


class SignInTicket(Row):
    """A sign-in whose first factor was right. It opens nothing but the second step, and that once."""

    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", related_name=False)
    account_id: UUID
    token_digest = fields.CharField(max_length=64, unique=True)
    generation = fields.IntField()
    methods: list[str] = fields.JSONField()
    tries = fields.IntField(default=0)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "sign_in_tickets"
        indexes = (("account_id",),)

    @classmethod
    async def issue(cls, account: Account, *, methods: Sequence[str]) -> tuple[str, datetime]:
        """A raw ticket for the account as it is now, and when it expires. The account's row must be locked."""
        await cls.filter(account_id=account.id, expires_at__lte=clock.now()).delete()
        raw_ticket = tokens.mint("ticket")
        ticket = await cls.create(
            account_id=account.id,
            token_digest=tokens.digest(raw_ticket),
            generation=account.generation,
            methods=list(methods),
            expires_at=clock.now() + TICKET_LIFETIME,
        )
        return raw_ticket, ticket.expires_at

    @classmethod
    async def find_live(cls, raw_ticket: str) -> "SignInTicket | None":
        """The ticket, unless it was used or has expired."""
        return await cls._live().filter(token_digest=tokens.digest(raw_ticket)).first()

    async def take_try(self, account: Account) -> bool:
        """Count a try. False when the ticket is of no use any more, as after any change that ended sessions."""
        usable = self._live().filter(id=self.id, generation=account.generation, tries__lt=TICKET_TRIES)
        return await usable.update(tries=F("tries") + 1) == 1

    async def consume(self) -> bool:
        """Use the ticket up. False when another request was first."""
        return await SignInTicket.filter(id=self.id).delete() == 1

    @classmethod
    def _live(cls) -> QuerySet["SignInTicket"]:
        return cls.filter(expires_at__gt=clock.now())

    @classmethod
    async def purge(cls) -> int:
        """Remove what has expired."""
        return await cls.filter(expires_at__lte=clock.now()).delete()
