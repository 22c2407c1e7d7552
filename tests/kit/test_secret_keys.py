"""Secret keys: how they are written, which are weak, and how processes agree on the ones that are made."""

import base64
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.secret_keys import _make, is_weak, kept_keys, parse_keys, write_keys


def test_processes_that_start_together_agree_on_the_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"

    with ProcessPoolExecutor(8, mp_context=get_context("spawn")) as pool:
        kept = set(pool.map(kept_keys, [file] * 16))

    assert len(kept) == 1
    assert list(tmp_path.iterdir()) == [file]


def test_who_comes_second_takes_the_first_ones_keys(tmp_path: Path) -> None:
    keys = kept_keys(tmp_path / "keys")

    _make(tmp_path / "keys")

    assert kept_keys(tmp_path / "keys") == keys
    assert list(tmp_path.iterdir()) == [tmp_path / "keys"]


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3, unique=True))
def test_keys_are_read_as_they_are_written(keys: list[bytes]) -> None:
    padded = ", ".join(base64.urlsafe_b64encode(key).decode() for key in keys)

    assert parse_keys(write_keys(keys)) == parse_keys(padded) == tuple(keys)


@pytest.mark.parametrize("key", [bytes(32), b"a" * 32, bytes(range(32)), b"\x01\xff" * 16, b"0123456789abcdef" * 2])
def test_keys_that_nobody_drew_are_weak(key: bytes) -> None:
    assert is_weak(key)


def test_keys_that_were_drawn_are_not_weak() -> None:
    assert not any(is_weak(os.urandom(32)) for _ in range(10_000))
