"""What can go wrong, in four kinds: refusals (data), no caller, broken requests, and a dependency that is away."""

from collections.abc import Sequence
from typing import NamedTuple


class FieldProblem(NamedTuple):
    """One unusable argument."""

    path: str
    reason: str


class Refusal(Exception):
    """An expected refusal: the schema answers it as a typed member of the mutation's union.

    Raising one inside a unit of work rolls the work back; whatever must survive is written before.
    """

    code: str = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(Refusal):
    """One or more arguments are unusable; nothing was changed."""

    code = "INVALID_INPUT"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.reason}" for problem in problems))
        self.fields = tuple(problems)

    @classmethod
    def of(cls, path: str, reason: str) -> "InvalidInput":
        """A refusal of one argument."""
        return cls([FieldProblem(path, reason)])


class InvalidCredentials(Refusal):
    """Address and password don't match: the same for every reason."""

    code = "INVALID_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("The address and the password don't match an account.")


class InvalidCode(Refusal):
    """A one-time code is wrong, spent or out of date."""

    code = "INVALID_CODE"

    def __init__(self, clock_skew_seconds: int | None = None) -> None:
        super().__init__("The code is wrong, used or out of date.")
        self.clock_skew_seconds = clock_skew_seconds


class InvalidToken(Refusal):
    """A mailed or handed-out token is wrong, used, superseded or expired."""

    code = "INVALID_TOKEN"

    def __init__(self) -> None:
        super().__init__("This is wrong, used or expired: start again.")


class StepUpRequired(Refusal):
    """The sign-in is too old, or none at all (an API key), for this change."""

    code = "STEP_UP_REQUIRED"

    def __init__(self, methods: Sequence[str], max_age_seconds: int) -> None:
        super().__init__("This change needs a fresh sign-in: call `stepUp`, then repeat it.")
        self.methods = tuple(methods)
        self.max_age_seconds = max_age_seconds


class TooManyAttempts(Refusal):
    """Refused until a time, right or wrong."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Too many tries. Wait, then try again.")
        self.retry_after_seconds = retry_after_seconds


class LimitReached(Refusal):
    """A cap on how many of something there may be."""

    code = "LIMIT_REACHED"

    def __init__(self, limit: int, what: str) -> None:
        super().__init__(f"There may be at most {limit} {what}.")
        self.limit = limit


class NotFound(Refusal):
    """No such thing, or none that the caller may see: the two are not told apart."""

    code = "NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such thing, or none that you may see.")


class Refused(Refusal):
    """Any other expected refusal; the code says which (a value of the contract's `ErrorCode`)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unauthenticated(Exception):
    """No caller, or a bearer token that is no good: one answer for every reason."""


class BadRequest(Exception):
    """A broken client: answered as a top-level GraphQL error with `BAD_REQUEST` and this text."""


class Unavailable(Exception):
    """A dependency is away or a queue is full: answered with 503 and `Retry-After`, never as a wrong answer."""

    def __init__(self, what: str, retry_after_seconds: int = 5) -> None:
        super().__init__(f"{what} is unavailable")
        self.what = what
        self.retry_after_seconds = retry_after_seconds


class ChangedMeanwhile(Unavailable):
    """What is being read went, or became another's, between two statements: a query is run again from its start."""


class StreamBroken(Exception):
    """A live stream ends before its time (a slow reader, the gateway stopping): the client is to subscribe again."""
