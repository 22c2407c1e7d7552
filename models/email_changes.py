"""Changes of address that wait for the code mailed to the new one."""

from datetime import timedelta
from hmac import compare_digest
from typing import ClassVar
from uuid import UUID

from tortoise import fields
from tortoise.expressions import F

from kit import clock
from kit.keyring import Keyring
from kit.text import Email
from models.accounts import Account
from models.base import Row

_CODE_PURPOSE = "email-change-code"


class EmailChange(Row):
    """One account's pending change of address. Without a code digest it is a decoy, for an address that is taken."""

    LIFETIME: ClassVar = timedelta(minutes=15)
    TRIES: ClassVar = 5

    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name=False, unique=True
    )
    account_id: UUID
    email = fields.CharField(max_length=254)
    email_canonical = fields.CharField(max_length=254)
    code_digest = fields.CharField(max_length=80, null=True)
    generation = fields.IntField()
    tries = fields.IntField(default=0)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "email_changes"

    @classmethod
    async def start(cls, account: Account, email: Email, *, code: str | None, keyring: Keyring) -> "EmailChange":
        """A change in the place of the account's former one. The account's row must be locked."""
        await cls.filter(account_id=account.id).delete()
        change = cls(
            account_id=account.id,
            email=email.typed,
            email_canonical=email.canonical,
            generation=account.generation,
            expires_at=clock.now() + cls.LIFETIME,
        )
        change.code_digest = keyring.keyed_digest(f"{change.id}:{code}", purpose=_CODE_PURPOSE) if code else None
        await change.save(force_create=True)
        return change

    @classmethod
    async def find_live(cls, account_id: UUID, generation: int) -> "EmailChange | None":
        """What is pending for an account, unless it has expired or the account's sessions were ended since."""
        live = cls.filter(account_id=account_id, generation=generation, expires_at__gt=clock.now())
        return await live.first()

    def fits(self, code: str, keyring: Keyring) -> bool:
        """Whether this is the mailed code."""
        digests = keyring.keyed_digests(f"{self.id}:{code}", purpose=_CODE_PURPOSE)
        return any(compare_digest(digest, self.code_digest or "") for digest in digests)

    async def take_try(self) -> bool:
        """Count a try; False when the tries are used up. One conditional update, so that parallel tries all count."""
        return await EmailChange.filter(id=self.id, tries__lt=self.TRIES).update(tries=F("tries") + 1) == 1

    async def still_waits(self) -> bool:
        """Whether it is neither used up nor replaced."""
        return await EmailChange.exists(id=self.id)

    async def consume(self) -> bool:
        """Use it up. False when another request was first."""
        return await EmailChange.filter(id=self.id).delete() == 1

    @classmethod
    async def purge(cls) -> int:
        """Remove what has expired."""
        return await cls.filter(expires_at__lte=clock.now()).delete()
