"""Accounts, and the sign-ups that are not accounts yet."""

from datetime import timedelta
from hmac import compare_digest
from typing import ClassVar
from uuid import UUID

from tortoise import fields
from tortoise.expressions import F

from kit import clock, tokens
from kit.keyring import Keyring
from kit.text import Email
from models.base import Row

SIGN_UP_LIFETIME = timedelta(minutes=15)
SIGN_UP_TRIES = 5
_CODE_PURPOSE = "sign-up-code"


class Account(Row):
    """A person's account. Its generation goes up whenever all sessions must end, and never down."""

    email = fields.CharField(max_length=254)
    email_canonical = fields.CharField(max_length=254, unique=True)
    password_hash = fields.CharField(max_length=255, null=True)
    generation = fields.IntField(default=1)
    two_factor_enabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "accounts"

    @classmethod
    async def open(cls, email: Email, *, password_hash: str | None) -> "Account":
        """A new account. Raises tortoise's IntegrityError when the address has one already."""
        return await cls.create(email=email.typed, email_canonical=email.canonical, password_hash=password_hash)

    @classmethod
    async def lock(cls, account_id: UUID) -> "Account | None":
        """The row, held against other writers until the unit of work ends; None when the account is gone.

        Not against rows that refer to it: an event that somebody else's change writes for this account must not wait
        for the account's own change, which may be waiting for that somebody's fleet.
        """
        return await cls.filter(id=account_id).select_for_update(no_key=True).first()

    @classmethod
    async def find_by_email(cls, email: Email) -> "Account | None":
        """The account of an address, compared in canonical form."""
        return await cls.filter(email_canonical=email.canonical).first()

    @classmethod
    async def lock_by_email(cls, email: Email) -> "Account | None":
        """As `lock`, for an address: who goes on to rows of the account must hold the account first."""
        return await cls.filter(email_canonical=email.canonical).select_for_update().first()

    def keeps_password_of(self, earlier: "Account") -> bool:
        """Whether the password is still the one that was read then.

        Another one comes with another generation. A hash alone changes where the same password is hashed anew, at
        higher cost, by a sign-in beside this.
        """
        return self.password_hash == earlier.password_hash or self.generation == earlier.generation

    async def replace_password(self, former_hash: str | None, password_hash: str) -> bool:
        """Set the password where the former one (None: none) is still there. False when it isn't."""
        former = {"password_hash": former_hash} if former_hash else {"password_hash__isnull": True}
        won = await Account.filter(id=self.id, **former).update(password_hash=password_hash) == 1
        self.password_hash = password_hash if won else self.password_hash
        return won

    async def move_to(self, email: Email) -> None:
        """Take another address. Raises tortoise's IntegrityError when it is another account's."""
        self.email, self.email_canonical = email
        await self.save(update_fields=["email", "email_canonical"])

    async def raise_generation(self) -> None:
        """End every session of the account: they carry an older generation from now on."""
        await Account.filter(id=self.id).update(generation=F("generation") + 1)
        await self.refresh_from_db(fields=["generation"])


class PendingSignUp(Row):
    """A sign-up that waits for its mailed code. Without a code digest it is a decoy, for an address that is taken."""

    token_digest = fields.CharField(max_length=64, unique=True)
    email = fields.CharField(max_length=254)
    email_canonical = fields.CharField(max_length=254, db_index=True)
    password_hash = fields.CharField(max_length=255)
    code_digest = fields.CharField(max_length=80, null=True)
    tries = fields.IntField(default=0)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "pending_sign_ups"

    @classmethod
    async def start(
        cls, email: Email, *, password_hash: str, code: str | None, keyring: Keyring
    ) -> tuple["PendingSignUp", str]:
        """A sign-up, and the token that only the client that started it gets. Both secrets rest as digests."""
        raw_token = tokens.mint("signup")
        bound_code = f"{tokens.digest(raw_token)}:{code}"
        row = await cls.create(
            token_digest=tokens.digest(raw_token),
            email=email.typed,
            email_canonical=email.canonical,
            password_hash=password_hash,
            code_digest=keyring.keyed_digest(bound_code, purpose=_CODE_PURPOSE) if code else None,
            expires_at=clock.now() + SIGN_UP_LIFETIME,
        )
        return row, raw_token

    @classmethod
    async def find_live(cls, raw_token: str) -> "PendingSignUp | None":
        """The sign-up of a token, unless it has expired."""
        return await cls.filter(token_digest=tokens.digest(raw_token), expires_at__gt=clock.now()).first()

    def fits(self, code: str, keyring: Keyring) -> bool:
        """Whether this is the mailed code."""
        digests = keyring.keyed_digests(f"{self.token_digest}:{code}", purpose=_CODE_PURPOSE)
        return any(compare_digest(digest, self.code_digest or "") for digest in digests)

    async def take_try(self) -> bool:
        """Count a try; False when the tries are used up. One conditional update, so that parallel tries all count."""
        taken = await PendingSignUp.filter(id=self.id, tries__lt=SIGN_UP_TRIES).update(tries=F("tries") + 1)
        return taken == 1

    async def still_waits(self) -> bool:
        """False when another request has used it up meanwhile."""
        return await PendingSignUp.filter(id=self.id).exists()

    @classmethod
    async def consume(cls, pending: "PendingSignUp") -> bool:
        """Use a sign-up up, and all others of the same address with it. False when another request was first."""
        of_the_address = cls.filter(email_canonical=pending.email_canonical)
        # Locked in one order: owners of several codes who finish together must wait for each other, not in a circle.
        locked = await of_the_address.select_for_update().order_by("id")
        await of_the_address.delete()
        return pending.id in {row.id for row in locked}

    @classmethod
    async def purge(cls) -> int:
        """Remove what has expired."""
        return await cls.filter(expires_at__lte=clock.now()).delete()


class SignInOrigin(Row):
    """Where an account was signed in from: a known client address still gets in while a stranger guesses."""

    KNOWN_FOR: ClassVar = timedelta(days=30)

    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", related_name=False)
    account_id: UUID
    network = fields.CharField(max_length=64)
    agent_digest = fields.CharField(max_length=64)
    seen_at = fields.DatetimeField()

    class Meta:
        table = "sign_in_origins"
        unique_together = (("account_id", "network", "agent_digest"),)

    @classmethod
    async def note(cls, account_id: UUID, *, network: str, user_agent: str) -> bool:
        """Remember a sign-in that worked. True when the pair of address and user agent is new to the account."""
        agent_digest = tokens.digest(user_agent)
        pair = cls.filter(account_id=account_id, network=network, agent_digest=agent_digest)
        if await pair.update(seen_at=clock.now()):
            return False
        await cls.create(account_id=account_id, network=network, agent_digest=agent_digest, seen_at=clock.now())
        return True

    @classmethod
    async def is_known(cls, account_id: UUID, network: str) -> bool:
        """Whether this client address signed in to this account within 30 days."""
        recently = clock.now() - cls.KNOWN_FOR
        return await cls.filter(account_id=account_id, network=network, seen_at__gt=recently).exists()

    @classmethod
    async def are_several(cls, account_id: UUID) -> bool:
        """Whether the account was signed in to from more than one place, so that one of them can be new."""
        return len(await cls.filter(account_id=account_id).limit(2).values_list("id", flat=True)) > 1
