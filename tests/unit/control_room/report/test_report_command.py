"""`pagemill report` refuses what it cannot mean before it connects to anything."""

from __future__ import annotations

from datetime import date

import pytest

from pagemill.cli.report import day_of, report, zone_named
from pagemill.errors import UsageError


def test_a_day_is_written_in_one_way() -> None:
    """Year, month, day."""
    assert day_of("2026-11-21") == date(2026, 11, 21)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "21.11.2026"])
def test_what_is_no_day_is_refused_with_the_remedy(text: str) -> None:
    """It is quoted, and the right form is named."""
    with pytest.raises(UsageError, match="write it as 2026-11-21"):
        day_of(text)


def test_a_run_and_a_day_exclude_each_other() -> None:
    """No configuration is read for that."""
    with pytest.raises(UsageError, match="exclude each other"):
        report(run="r1", day="2026-11-21")


def test_a_time_zone_is_one_that_is_known() -> None:
    """The mistake says how to write it."""
    assert zone_named("Asia/Seoul") == "Asia/Seoul"
    with pytest.raises(UsageError, match="'Seoul' is not a time zone: write a name such as Asia/Seoul or UTC"):
        zone_named("Seoul")
