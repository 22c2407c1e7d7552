"""Mailed links that set a new password."""

from datetime import timedelta
from uuid import UUID

from tortoise import fields

from kit import clock, tokens
from kit.text import Email
from models.accounts import Account
from models.base import Row

RESET_LIFETIME = timedelta(minutes=60)


class PasswordReset(Row):
    """A mailed link, one an address at most. Without an account it is a decoy, for an address that has none."""

    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, db_index=True
    )
    account_id: UUID | None
    email_canonical = fields.CharField(max_length=254, unique=True)
    token_digest = fields.CharField(max_length=64, unique=True)
    generation = fields.IntField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "password_resets"

    @classmethod
    async def start(cls, email: Email, account: Account | None) -> str:
        """The raw token of a new link, which takes the place of the address's former one: one statement, either way.

        SECURITY: bound to the account's generation, so that it dies with whatever ends the account's sessions.
        """
        raw_token = tokens.mint("reset")
        row = cls(
            account_id=account.id if account else None,
            email_canonical=email.canonical,
            token_digest=tokens.digest(raw_token),
            generation=account.generation if account else 0,
            expires_at=clock.now() + RESET_LIFETIME,
        )
        replaced = ("account_id", "token_digest", "generation", "created_at", "expires_at")
        await cls.bulk_create([row], on_conflict=["email_canonical"], update_fields=replaced)
        return raw_token

    @classmethod
    async def find_live(cls, raw_token: str) -> "PasswordReset | None":
        """The link of a token with its account fetched, unless it has expired or never had an account."""
        live = cls.filter(token_digest=tokens.digest(raw_token), expires_at__gt=clock.now(), account_id__isnull=False)
        return await live.prefetch_related("account").first()

    async def consume(self, account: Account) -> bool:
        """Use the link up for an account that is locked. False when it was used, superseded or outlived meanwhile."""
        fits = self.generation == account.generation and self.email_canonical == account.email_canonical
        # The digest as well: a newer link of the address stands in the same row.
        own = PasswordReset.filter(id=self.id, token_digest=self.token_digest, expires_at__gt=clock.now())
        return fits and await own.delete() == 1

    @classmethod
    async def end_all(cls, account_id: UUID) -> None:
        """End the links of an account."""
        await cls.filter(account_id=account_id).delete()

    @classmethod
    async def purge(cls) -> int:
        """Remove what has expired."""
        return await cls.filter(expires_at__lte=clock.now()).delete()
