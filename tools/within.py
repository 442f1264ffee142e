"""Begins no test once time is over, and names the files that were left: `pytest -p tools.within --within 60`.

What is named first comes first; where several run at once, by `--dist load --maxschedchunk 1`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

_LEFT = "left for the whole run"
_ENDS_S = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.addoption("--within", type=float, default=float("inf"), metavar="SECONDS")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leaves it when time is over, which runs from the first one: to find them all takes a while."""
    ends_s = item.config.stash.setdefault(_ENDS_S, time.monotonic() + item.config.getoption("--within"))
    if time.monotonic() >= ends_s:
        pytest.skip(_LEFT)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Behind all that pytest says: what it did not come to."""
    yield
    left = Counter(
        report.nodeid.partition("::")[0]
        for report in terminalreporter.getreports("skipped")
        if isinstance(report, pytest.TestReport) and _LEFT in str(report.longrepr)
    )
    if left:
        terminalreporter.write_line(f"{left.total()} tests were {_LEFT} (make test):")
        for name, count in left.items():
            terminalreporter.write_line(f"  {name} ({count})")
