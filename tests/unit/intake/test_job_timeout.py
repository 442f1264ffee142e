"""How long a batch may take."""

from __future__ import annotations

from typing import Any

import pytest

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.intake.job_timeout import job_timeout_s


def platform(**changes: Any) -> Platform:
    """4 lanes, 3 tries, 30 s navigation, 3 to 4 s between visits, unless changed."""
    values: dict[str, Any] = {"platform": "shop", "hosts": ["www.shop.com"], "extract": {"fields": {"name": "h1"}}}
    return Platform.model_validate({**values, **changes})


AUTO = QueueSettings()


def test_the_default_platform_gets_what_its_worst_case_needs_twice() -> None:
    """ceil(50/4) x (3 x (4 + 30 + 10) + 1 x 3) = 13 x 135 = 1755, twice."""
    assert job_timeout_s(platform(), 50, AUTO) == 3510


@pytest.mark.parametrize(
    ("changes", "products", "expected_s"),
    [
        ({"workflow": {"concurrency": {"default": 1}}}, 10, 2 * 10 * 135),
        ({"workflow": {"concurrency": {"fleet": 1}}}, 10, 2 * 10 * 135),
        ({"workflow": {"concurrency": {"fleet": 9}}}, 40, 2 * 10 * 135),
        ({"workflow": {"rate_limit": {"enabled": False}}}, 4, 300),
        ({"workflow": {"rate_limit": {"enabled": False}}}, 16, 2 * 4 * (3 * 40 + 3)),
        ({"workflow": {"rate_limit": {"max_per_minute": 2}}}, 50, 2 * 3 * 50 * 30),
        ({"retry": {"attempts": 1}}, 40, 2 * 10 * 44),
        ({"retry": {"attempts": 3, "backoff_ms": 10_000}}, 4, 2 * (132 + 30)),
        ({}, 1, 300),
        ({}, 1000, 4 * 3600),
        ({"retry": {"attempts": 20, "backoff_ms": 600_000}}, 1, 4 * 3600),
    ],
)
def test_every_part_counts_between_floor_and_ceiling(changes: dict[str, Any], products: int, expected_s: int) -> None:
    """Lanes, wait, rate, tries, back-off; never under 5 minutes, never over 4 hours."""
    assert job_timeout_s(platform(**changes), products, AUTO) == expected_s


def test_a_time_that_is_stated_is_taken() -> None:
    """Whatever the platform says."""
    assert job_timeout_s(platform(), 1000, QueueSettings(job_timeout_s=77)) == 77
