"""A skipped test proves nothing: here it fails, with the reason for which it would be skipped."""

from collections.abc import Generator

import pytest
from hypothesis import settings

# The same examples on every run, and no deadline: tests are never timed.
settings.register_profile("book", deadline=None, derandomize=True, database=None)
settings.load_profile("book")


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} would be skipped: {report.longrepr}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a test's skip into a failure."""
    report = yield
    if report.skipped:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    if report.skipped:
        _fail(report)
    return report
