"""The contract's error types, and the one place that turns a refusal into its type."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import strawberry

from kit import errors


@strawberry.enum(description="Stable machine-readable reasons. The wording of `message` may change; these do not.")
class ErrorCode(Enum):
    INVALID_INPUT = "INVALID_INPUT"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    INVALID_CODE = "INVALID_CODE"
    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105 - a code
    STEP_UP_REQUIRED = "STEP_UP_REQUIRED"
    PASSWORD_NOT_SET = "PASSWORD_NOT_SET"  # noqa: S105 - a code
    PASSWORD_ALREADY_SET = "PASSWORD_ALREADY_SET"  # noqa: S105 - a code
    TWO_FACTOR_ALREADY_ENABLED = "TWO_FACTOR_ALREADY_ENABLED"
    TWO_FACTOR_NOT_ENABLED = "TWO_FACTOR_NOT_ENABLED"
    PAIRING_NOT_STARTED = "PAIRING_NOT_STARTED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    LIMIT_REACHED = "LIMIT_REACHED"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    ROLE_TOO_LOW = "ROLE_TOO_LOW"
    SESSION_REQUIRED = "SESSION_REQUIRED"
    ALREADY_A_MEMBER = "ALREADY_A_MEMBER"
    WRONG_ACCOUNT = "WRONG_ACCOUNT"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_REFUSED = "PROVIDER_REFUSED"
    EMAIL_NOT_VERIFIED_BY_PROVIDER = "EMAIL_NOT_VERIFIED_BY_PROVIDER"
    ACCOUNT_EXISTS = "ACCOUNT_EXISTS"
    LAST_WAY_IN = "LAST_WAY_IN"


@strawberry.enum(description="How a person proved who they are.")
class AuthenticationMethod(Enum):
    PASSWORD = "PASSWORD"  # noqa: S105 - a name
    SOCIAL = "SOCIAL"
    TOTP = "TOTP"
    RECOVERY_CODE = "RECOVERY_CODE"


@strawberry.interface(description="An expected refusal: what a person can cause, and a front-end handles.")
class UserError:
    code: ErrorCode = strawberry.field(description="The reason, for programs.")
    message: str = strawberry.field(description="The reason, for people.")


@strawberry.type(description="One unusable input.")
class FieldProblem:
    path: str = strawberry.field(description="Path of the argument, as `input.name`.")
    reason: str = strawberry.field(description="What is wrong with it, for people.")


@strawberry.type(description="One or more inputs are unusable; nothing was changed.")
class InvalidInput(UserError):
    fields: list[FieldProblem] = strawberry.field(description="What is unusable, and why.")


@strawberry.type(
    description="Address and password don't match an account. "
    "The same for an unknown address, a wrong password and no password set."
)
class InvalidCredentials(UserError):
    pass


@strawberry.type(description="The one-time code is wrong, used or out of date.")
class InvalidCode(UserError):
    clock_skew_seconds: int | None = strawberry.field(
        description="Seconds by which the authenticator's clock seems to be off, "
        "where the code fits a nearby time step."
    )


@strawberry.type(description="The mailed or handed-out token is wrong, used, superseded or expired.")
class InvalidToken(UserError):
    pass


@strawberry.type(
    description="The sign-in behind this session is too old for this change: "
    "call `stepUp`, then repeat the same mutation."
)
class StepUpRequired(UserError):
    methods: list[AuthenticationMethod] = strawberry.field(description="What `stepUp` would take from this account.")
    max_age_seconds: int = strawberry.field(description="How old a sign-in may be for this change.")


@strawberry.type(description="Too many tries: what is asked for here is refused until the time given, right or wrong.")
class TooManyAttempts(UserError):
    retry_after_seconds: int = strawberry.field(description="When to try again, in seconds from now.")


@strawberry.type(description="A cap on how many of these there may be.")
class LimitReached(UserError):
    limit: int = strawberry.field(description="The cap.")


@strawberry.type(description="No such thing, or none that the caller may see: the two are not told apart.")
class NotFound(UserError):
    pass


@strawberry.type(description="Any other expected refusal: `code` says which.")
class Refused(UserError):
    pass


def _plain(answer: type[UserError]) -> Callable[[errors.Refusal], UserError]:
    return lambda refusal: answer(code=ErrorCode(refusal.code), message=refusal.message)


def _invalid_input(refusal: errors.InvalidInput) -> InvalidInput:
    problems = [FieldProblem(path=problem.path, reason=problem.reason) for problem in refusal.fields]
    return InvalidInput(code=ErrorCode.INVALID_INPUT, message=refusal.message, fields=problems)


def _invalid_code(refusal: errors.InvalidCode) -> InvalidCode:
    return InvalidCode(
        code=ErrorCode.INVALID_CODE, message=refusal.message, clock_skew_seconds=refusal.clock_skew_seconds
    )


def _step_up_required(refusal: errors.StepUpRequired) -> StepUpRequired:
    return StepUpRequired(
        code=ErrorCode.STEP_UP_REQUIRED,
        message=refusal.message,
        methods=[AuthenticationMethod(method) for method in refusal.methods],
        max_age_seconds=refusal.max_age_seconds,
    )


def _too_many_attempts(refusal: errors.TooManyAttempts) -> TooManyAttempts:
    return TooManyAttempts(
        code=ErrorCode.TOO_MANY_ATTEMPTS,
        message=refusal.message,
        retry_after_seconds=refusal.retry_after_seconds,
    )


def _limit_reached(refusal: errors.LimitReached) -> LimitReached:
    return LimitReached(code=ErrorCode.LIMIT_REACHED, message=refusal.message, limit=refusal.limit)


class RefusalHandler:
    """Answers one kind of refusal with its type, in every field whose union has it."""

    def __init__(self, refusal: type[errors.Refusal], answer: type[UserError], present: Callable[[Any], Any]) -> None:
        self.exception_type = refusal
        self.error_type = answer
        self._present = present

    def handle(self, exception: errors.Refusal, *, field: object, info: object) -> UserError:  # noqa: ARG002 - Strawberry's signature
        """The refusal as data."""
        answer: UserError = self._present(exception)
        return answer


REFUSAL_HANDLERS = (
    RefusalHandler(errors.InvalidInput, InvalidInput, _invalid_input),
    RefusalHandler(errors.InvalidCredentials, InvalidCredentials, _plain(InvalidCredentials)),
    RefusalHandler(errors.InvalidCode, InvalidCode, _invalid_code),
    RefusalHandler(errors.InvalidToken, InvalidToken, _plain(InvalidToken)),
    RefusalHandler(errors.StepUpRequired, StepUpRequired, _step_up_required),
    RefusalHandler(errors.TooManyAttempts, TooManyAttempts, _too_many_attempts),
    RefusalHandler(errors.LimitReached, LimitReached, _limit_reached),
    RefusalHandler(errors.NotFound, NotFound, _plain(NotFound)),
    RefusalHandler(errors.Refused, Refused, _plain(Refused)),
)
