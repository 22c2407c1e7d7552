"""Turns a skipped test into a failed one where nothing may be skipped.

A machine that lacks a browser may skip what needs one, and says so by name; CI may not, or a missing install step would
pass for a green run.
"""

import os
from collections.abc import Generator

import pytest

NOTHING_SKIPPED = "GATEHOUSE_TEST_NOTHING_SKIPPED"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _nothing_may_be_skipped():
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and _nothing_may_be_skipped():
        _fail(report)
    return report


def _nothing_may_be_skipped() -> bool:
    return os.environ.get(NOTHING_SKIPPED, "") not in {"", "0"}


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid or 'a test file'} was skipped where nothing may be: {_reason(report.longrepr)}"


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
