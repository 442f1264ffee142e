"""For how long a visit is good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pagemill.config.revisit import Revisit
from pagemill.revisit.policy import Seen, next_ttl_s, tags_of

RULES = Revisit(enabled=True, min_ttl_s=100, max_ttl_s=1000, factor=3, tags=("brand", "size"))
NOW = datetime(2026, 11, 21, tzinfo=UTC)
FACTS = {"name": "Shirt", "brand": "Nike", "size": None}


def seen(ttl_s: float, facts: dict[str, str | None] = FACTS) -> Seen:
    return Seen("https://shop.test/1", facts, NOW, ttl_s)


@pytest.mark.parametrize(
    ("before", "ttl_s"),
    [
        (None, 100),
        (seen(100), 300),
        (seen(300), 900),
        (seen(900), 1000),
        (seen(1000), 1000),
        (seen(20), 100),
        (seen(900, {**FACTS, "name": "Skirt"}), 100),
    ],
)
def test_a_page_that_says_the_same_is_left_alone_for_longer(before: Seen | None, ttl_s: float) -> None:
    """Up to the longest time; one that changed begins anew."""
    assert next_ttl_s(RULES, before, FACTS, lambda: 0.0) == ttl_s
    assert next_ttl_s(RULES, before, FACTS, lambda: 0.5) == pytest.approx(0.95 * ttl_s)


def test_what_was_seen_is_good_until_its_time_is_over() -> None:
    """To the second."""
    assert seen(100).is_good_at(NOW + timedelta(seconds=99.9))
    assert not seen(100).is_good_at(NOW + timedelta(seconds=100))


def test_tags_are_everything_and_the_fields_that_have_a_value() -> None:
    """A product without a brand has no such tag."""
    assert list(tags_of(RULES, FACTS)) == ["*", "brand=Nike"]
