"""What a wrong clock is told: as much as helps its owner, and nothing that helps a guesser."""

from datetime import timedelta

import pytest

from kit import clock
from tests.support.authenticator import begin_step
from tests.support.two_factor import GuardedPerson


@pytest.mark.parametrize(
    ("steps", "skew"), [(-11, None), (-10, -300), (-2, -60), (1, None), (2, 60), (10, 300), (11, None)]
)
async def test_skewed_clock_is_told_to_a_ticket_holder(guard: GuardedPerson, steps: int, skew: int | None) -> None:
    clock.shift(timedelta(minutes=10))
    begin_step()

    answer = await guard.complete(code=guard.phone.code(steps))

    assert answer.expect("InvalidCode")["clockSkewSeconds"] == skew


async def test_code_that_is_about_to_be_right_is_not_told(guard: GuardedPerson) -> None:
    begin_step()
    about_to_be = guard.phone.code(1)

    refused = (await guard.complete(code=about_to_be)).expect("InvalidCode")
    clock.shift(timedelta(seconds=30))

    assert refused["clockSkewSeconds"] is None
    # Nobody was told, so a clock that is some seconds ahead locks nobody out.
    (await guard.complete(code=about_to_be)).expect("SessionStarted")


async def test_told_skew_counts_as_a_failure_and_that_code_is_dead(guard: GuardedPerson) -> None:
    ahead = guard.phone.code(4)
    told = [(await guard.complete(code=ahead)).expect("InvalidCode")["clockSkewSeconds"] for _ in range(3)]

    clock.shift(timedelta(minutes=2))
    then = await guard.complete(code=ahead)
    right = await guard.complete(code=guard.phone.next_code())

    assert told == [120, 120, 120]
    then.expect("InvalidCode")
    right.expect("SessionStarted")
