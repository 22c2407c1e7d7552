"""Limits and the rule of counting, without a store."""

from hypothesis import given
from hypothesis import strategies as st

from kit import throttle
from kit.throttle import Count, Limit, Window


def test_the_limits_are_those_of_the_contract() -> None:
    minutes, hour, day = 300, 3_600, 86_400

    assert {name: limit.windows for name, limit in vars(throttle).items() if isinstance(limit, Limit)} == {
        "PASSWORD_ACCOUNT": (Window(10, minutes),),
        "PASSWORD_CLIENT": (Window(100, minutes),),
        "PASSWORD_KNOWN_CLIENT": (Window(10, minutes),),
        "CODE_ACCOUNT": (Window(5, minutes), Window(20, hour), Window(50, day)),
        "CODE_CLIENT": (Window(50, minutes),),
        "RESET_MAIL": (Window(5, day),),
        "SIGN_UP_MAIL": (Window(5, day),),
        "SIGN_UP_CLIENT": (Window(60, hour),),
        "RESET_REQUEST_CLIENT": (Window(60, hour),),
        # Ours: the contract lets `completeSocialLogin` say TooManyAttempts, and names no number.
        "SOCIAL_LOGIN_CLIENT": (Window(60, minutes),),
        "LEAK_REPORT_CLIENT": (Window(60, hour),),
        "INVITATION_FLEET": (Window(50, day),),
        "EXPORT_ACCOUNT": (Window(5, day),),
    }


def test_limits_share_no_name_and_check_short_windows_first() -> None:
    limits = [limit for limit in vars(throttle).values() if isinstance(limit, Limit)]

    assert len({limit.name for limit in limits}) == len(limits)
    for limit in limits:
        assert [window.seconds for window in limit.windows] == sorted({window.seconds for window in limit.windows})
        assert limit.per_client == limit.name.endswith("client") or limit is throttle.PASSWORD_KNOWN_CLIENT


@given(st.integers(1, 20), st.integers(1, 100_000), st.lists(st.integers(0, 50_000), max_size=60))
def test_no_window_ever_allows_more_than_it_says(allowed: int, seconds: int, pauses: list[int]) -> None:
    window, now, count, accepted = Window(allowed, seconds), 1_000_000, Count(), list[int]()
    for pause in pauses:
        now += pause
        count, wait_ms = count.charged(window, "c", now)
        if not wait_ms:
            accepted.append(now)

    # Counted from any window's first try, not from any instant: two windows that touch hold twice as many.
    pairs = zip(accepted, accepted[2 * allowed :], strict=False)
    assert all(later - earlier >= seconds * 1_000 for earlier, later in pairs)
    assert 0 <= count.tries <= allowed
    assert sum(count.shares.values()) == count.tries


@given(st.integers(1, 20), st.integers(1, 100_000), st.lists(st.integers(0, 5_000), min_size=1, max_size=200))
def test_refusals_push_the_end_away_and_never_nearer(allowed: int, seconds: int, pauses: list[int]) -> None:
    window, now = Window(allowed, seconds), 1_000_000
    count = Count(allowed, 0, now + seconds * 1_000)
    for pause in pauses:
        now += pause
        if now >= count.ends_at_ms:
            break
        before = count
        count, wait_ms = count.charged(window, "c", now)
        assert wait_ms > 0
        assert count.ends_at_ms >= before.ends_at_ms
        assert wait_ms <= max(throttle.LONGEST_GROWN_WAIT_MS, seconds * 1_000)
    # Whatever was done, one wait of the length that was named ends it.
    assert count.charged(window, "c", max(now, count.ends_at_ms))[1] == 0


def test_the_wait_is_the_rest_of_the_window_then_grows_by_a_tenth() -> None:
    count, waits = Count(3, 0, 1_300_000, {"c": 3}), []
    for _ in range(120):
        count, wait_ms = count.charged(Window(3, 300), "c", 1_100_000)
        waits.append(wait_ms // 1_000)

    assert waits[:5] == [200, 330, 360, 390, 420]
    assert waits == sorted(waits)
    assert waits[-1] == 3_600


def test_the_bound_of_growing_cuts_no_longer_window_short() -> None:
    count = Count(5, 0, 86_400_000, {"c": 5})
    for _ in range(10):
        count, wait_ms = count.charged(Window(5, 86_400), "c", 0)
        assert wait_ms == 86_400_000


def test_a_known_client_is_one_account_and_one_network() -> None:
    assert throttle.known_client("ada@x.test", "2001:db8::1") == throttle.known_client("ada@x.test", "2001:db8::2")
    assert throttle.known_client("ada@x.test", "192.0.2.1") != throttle.known_client("bob@x.test", "192.0.2.1")
