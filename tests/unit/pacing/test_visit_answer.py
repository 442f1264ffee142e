"""What a shop asks for: the header `Retry-After`, and for how long a platform is paused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pagemill.config.platform import RateLimit
from pagemill.pacing.retry_after import retry_after_s
from pagemill.pacing.visit_answer import VisitAnswer, Welcome

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("10", 10),
        (" 0 ", 0),
        ("9" * 400, 999_999_999),
        ("Sat, 21 Nov 2026 12:01:00 GMT", 60),
        ("Saturday, 21-Nov-26 12:01:00 GMT", 60),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 21:01:00 +0900", 60),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Sat, 99 Nov 2026 12:01:00 GMT", None),
        ("١٠", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    """Anything else says nothing."""
    assert retry_after_s(header, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "10", 10),
        (503, "10", 10),
        (429, "", 30),
        (429, "soon", 30),
        (503, "", 0),
        (503, "soon", 0),
        (200, "10", 0),
        (403, "10", 0),
        (None, "", 0),
        (429, "86400", 3600),
        (429, "0", 0),
    ],
)
def test_a_shop_that_asks_for_a_pause_gets_one(status: int | None, header: str, seconds: float) -> None:
    """As long as it asks, or `pause_s` where it does not say; never longer than `pause_max_s`."""
    assert VisitAnswer(Welcome.BLOCKED, status, header).pause_s(RateLimit(), NOW) == seconds
