"""API keys: a name that lasts, and one present secret, beside former ones that still work for a while."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Q

from kit import clock, tokens
from kit.errors import LimitReached, NotFound
from models.accounts import Account
from models.base import Row

MAX_KEYS = 100
"""Keys an account."""

MAX_FORMER_SECRETS = 10
"""Former secrets of one key that may still work at once."""


class ApiKey(Row):
    """A named key of an account."""

    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", related_name=False)
    account_id: UUID
    name = fields.CharField(max_length=120)
    description = fields.CharField(max_length=1000)
    hint = fields.CharField(max_length=4)
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_keys"
        indexes = (("account_id", "id"),)

    @classmethod
    async def issue(
        cls, account: Account, *, name: str, description: str, expires_at: datetime | None
    ) -> tuple["ApiKey", str]:
        """A new key and its raw secret, of which only the digest is stored. The account's row must be locked.

        Raises LimitReached.
        """
        if await cls.filter(account_id=account.id).count() >= MAX_KEYS:
            raise LimitReached(MAX_KEYS, "API keys")
        raw_secret = tokens.mint_api_key()
        key = await cls.create(
            account_id=account.id, name=name, description=description, expires_at=expires_at, hint=raw_secret[-4:]
        )
        await ApiKeySecret.create(api_key_id=key.id, digest=tokens.digest(raw_secret))
        return key, raw_secret

    @classmethod
    async def get_own(cls, account: Account, key_id: UUID | None) -> "ApiKey":
        """A key of that account. Raises NotFound."""
        key = await cls.filter(account_id=account.id, id=key_id).first() if key_id else None
        if key is None:
            raise NotFound
        return key

    @classmethod
    async def live_names(cls, account: Account) -> list[str]:
        """Names of the account's keys that have not expired, oldest first."""
        live = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
        return [key.name for key in await cls.filter(live, account_id=account.id).order_by("id").only("name")]

    async def rotate(self, *, overlap: timedelta) -> tuple[str, datetime]:
        """A new raw secret, and when the former one ends. The account's row must be locked. Raises LimitReached."""
        ends_at = clock.now() + overlap
        if self.expires_at is not None:
            ends_at = min(ends_at, self.expires_at)
        await ApiKeySecret.filter(api_key_id=self.id, ends_at__lte=clock.now()).delete()
        if await ApiKeySecret.filter(api_key_id=self.id, ends_at__isnull=False).count() >= MAX_FORMER_SECRETS:
            raise LimitReached(MAX_FORMER_SECRETS, "former secrets of a key that still work")
        await ApiKeySecret.filter(api_key_id=self.id, ends_at__isnull=True).update(ends_at=ends_at)
        raw_secret = tokens.mint_api_key()
        await ApiKeySecret.create(api_key_id=self.id, digest=tokens.digest(raw_secret))
        self.hint = raw_secret[-4:]
        await self.save(update_fields=["hint"])
        return raw_secret, ends_at

    @classmethod
    async def revoke(cls, account: Account, key_ids: Collection[UUID]) -> list["ApiKey"]:
        """Remove keys of that account: all of them, or none and NotFound."""
        keys = await cls.filter(account_id=account.id, id__in=list(key_ids)).all()
        if len(keys) != len(key_ids):
            raise NotFound
        await cls.filter(account_id=account.id, id__in=list(key_ids)).delete()
        return keys

    @classmethod
    async def note_use(cls, key_id: UUID, minute: datetime) -> None:
        """Write when a key was used, unless a later use is written already."""
        unwritten = Q(last_used_at__isnull=True) | Q(last_used_at__lt=minute)
        await cls.filter(unwritten, id=key_id).update(last_used_at=minute)


class ApiKeySecret(Row):
    """The digest of a secret of a key. The present one has no end, a former one works until its own."""

    api_key: fields.ForeignKeyRelation[ApiKey] = fields.ForeignKeyField("models.ApiKey", related_name=False)
    api_key_id: UUID
    digest = fields.CharField(max_length=64, unique=True)
    ends_at = fields.DatetimeField(null=True)

    class Meta:
        # That a key has at most one secret without an end is kept by the index of migration 0002.
        table = "api_key_secrets"
        # For the foreign key: without it, removing a key reads the whole table.
        indexes = (("api_key_id",),)

    @classmethod
    async def find(cls, raw_secret: str) -> "ApiKeySecret | None":
        """The secret, with its key fetched; None if it never was one or has ended."""
        live = Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now())
        # One statement: between two, the key may go.
        return await cls.filter(live, digest=tokens.digest(raw_secret)).select_related("api_key").first()

    @classmethod
    async def still_opens(cls, digest: str | None, account: Account) -> bool:
        """Whether the secret of that digest is one of a key of that account, and has not ended."""
        live = Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now())
        return await cls.filter(live, digest=digest, api_key__account_id=account.id).exists()

    async def end(self) -> bool:
        """Revoke the key whose present secret this is, or end the overlap of a former one. False when it had ended."""
        if self.ends_at is None:
            return await ApiKey.filter(id=self.api_key_id).delete() == 1
        return await ApiKeySecret.filter(id=self.id).delete() == 1
