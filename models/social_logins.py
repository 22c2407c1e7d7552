"""Identities at Google and GitHub that open an account, and sign-ins with them that are on their way."""

import json
from dataclasses import asdict
from datetime import timedelta
from hmac import compare_digest
from typing import ClassVar
from uuid import UUID

from tortoise import fields

from kit import clock, tokens
from kit.errors import NotFound, Refused
from kit.keyring import Keyring, SealBroken
from kit.providers import Exchange, ProviderIdentity, ProviderName
from models.accounts import Account
from models.base import Row

MAX_IDENTITIES = 20
"""Identities an account."""

_PURPOSE = "social login attempt"


class SocialLogin(Row):
    """An identity that opens an account. The provider and its subject say who it is, and nothing else does."""

    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", related_name=False)
    account_id: UUID
    provider = fields.CharField(max_length=16)
    subject = fields.CharField(max_length=255)
    display_name = fields.CharField(max_length=120)
    # As the provider gave it when the identity was linked: for the export, never for finding an account.
    email = fields.CharField(max_length=254, null=True)

    class Meta:
        table = "social_logins"
        unique_together = (("provider", "subject"),)
        indexes = (("account_id", "id"),)

    @property
    def provider_name(self) -> ProviderName:
        """Who vouches for the identity."""
        return ProviderName(self.provider)

    @classmethod
    async def find(cls, provider: ProviderName, subject: str) -> "SocialLogin | None":
        """The identity, if it opens any account."""
        return await cls.filter(provider=provider.value, subject=subject).first()

    @classmethod
    async def link(
        cls, account: Account, provider: ProviderName, identity: ProviderIdentity, *, email: str | None
    ) -> "SocialLogin":
        """Let the identity open that account, whose row must be locked.

        Raises Refused(LIMIT_REACHED), and tortoise's IntegrityError when it opens an account already.
        """
        if await cls.filter(account_id=account.id).count() >= MAX_IDENTITIES:
            raise Refused("LIMIT_REACHED", f"There may be at most {MAX_IDENTITIES} linked identities.")
        return await cls.create(
            account_id=account.id,
            provider=provider.value,
            subject=identity.subject,
            display_name=identity.display_name,
            email=email,
        )

    @classmethod
    async def unlink(cls, account: Account, login_id: UUID | None) -> "SocialLogin":
        """Take an identity from that account, whose row must be locked. Raises NotFound, Refused(LAST_WAY_IN)."""
        logins = await cls.filter(account_id=account.id)
        login = next((login for login in logins if login.id == login_id), None)
        if login is None:
            raise NotFound
        # SECURITY: under the account's lock, so that two requests at once can't each leave the other's way in.
        if account.password_hash is None and len(logins) == 1:
            raise Refused("LAST_WAY_IN", "This is the only way into the account: set a password first.")
        await login.delete()
        return login


class SocialLoginAttempt(Row):
    """A sign-in, or (with an account) a linking, that waits for the provider's answer. It is used once."""

    LIFETIME: ClassVar = timedelta(minutes=10)

    handle_digest = fields.CharField(max_length=64, unique=True)
    state_digest = fields.CharField(max_length=64)
    provider = fields.CharField(max_length=16)
    # The exchange with its verifier and nonce.
    sealed = fields.TextField()
    # Of whoever began to link: only that account, in a session of that generation, may finish.
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True
    )
    account_id: UUID | None
    generation: int | None = fields.IntField(null=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "social_login_attempts"
        # For the foreign key: without it, removing an account reads the whole table.
        indexes = (("account_id",),)

    @property
    def provider_name(self) -> ProviderName:
        """Who was asked."""
        return ProviderName(self.provider)

    @classmethod
    async def start(
        cls, provider: ProviderName, exchange: Exchange, *, keyring: Keyring, link_to: Account | None
    ) -> tuple["SocialLoginAttempt", str]:
        """An attempt, and the raw handle that only the client that began it gets."""
        raw_handle = tokens.mint("social")
        attempt = cls(
            handle_digest=tokens.digest(raw_handle),
            state_digest=tokens.digest(exchange.state),
            provider=provider.value,
            account_id=link_to.id if link_to else None,
            generation=link_to.generation if link_to else None,
            expires_at=clock.now() + cls.LIFETIME,
        )
        content = json.dumps(asdict(exchange)).encode()
        attempt.sealed = keyring.seal(content, purpose=_PURPOSE, bound_to=str(attempt.id))
        await attempt.save(force_create=True)
        return attempt, raw_handle

    @classmethod
    async def find_live(cls, raw_handle: str, state: str) -> "SocialLoginAttempt | None":
        """The attempt that both belong to, unless it has expired."""
        attempt = await cls.filter(handle_digest=tokens.digest(raw_handle), expires_at__gt=clock.now()).first()
        # SECURITY: a state that somebody else made up neither opens an attempt nor ends it (RFC 9700 section 4.7).
        if attempt is None or not compare_digest(attempt.state_digest, tokens.digest(state)):
            return None
        return attempt

    async def consume(self) -> bool:
        """Use the attempt up; False when another request was first."""
        return await SocialLoginAttempt.filter(id=self.id).delete() == 1

    def exchange(self, keyring: Keyring) -> Exchange | None:
        """What the provider was asked with; None when it was sealed under a key that is gone."""
        try:
            content = keyring.open(self.sealed, purpose=_PURPOSE, bound_to=str(self.id))
        except SealBroken:
            return None
        return Exchange(**json.loads(content))

    @classmethod
    async def purge(cls) -> int:
        """Remove what has expired."""
        return await cls.filter(expires_at__lte=clock.now()).delete()
