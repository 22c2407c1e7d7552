from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from kit import clock, ids


def test_ids_are_of_version_seven_and_say_when() -> None:
    # A sequence of its own: that of the process may have seen a clock that another test had moved.
    made = ids._Sequence().next()

    assert made.version == 7
    assert abs((made.int >> 80) / 1000 - clock.now().timestamp()) < 5


def test_ids_sort_as_they_were_made() -> None:
    made = [ids.new_id() for _ in range(5_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_go_on_sorting_when_the_clock_is_put_back() -> None:
    before = ids.new_id()
    clock.shift(timedelta(seconds=-10))

    assert ids.new_id() > before


def test_global_id_comes_back_as_it_went() -> None:
    made = ids.new_id()

    assert ids.from_global("apikey", ids.to_global("apikey", made)) == made
    assert ids.from_global("account", ids.to_global("apikey", made)) is None


@given(st.text())
def test_anything_else_is_no_id(text: str) -> None:
    assert ids.from_global("apikey", text) is None
