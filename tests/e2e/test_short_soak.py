"""A soak of a minute: with rotation memory stays where it was, without it the same pages make it grow."""

from __future__ import annotations

import pytest

from benchmarks.soak_figures import LEAST_CONTROL_GROWTH, Figures, figures
from benchmarks.workshop import Plan, carry_out
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]

_LEAK_KB = 800
_MOST_GROWTH = 1.2
"""Wider than the long soak's: a quarter of this run is 15 s, and renderers sway by a third between two samples."""


def soak(place: Workplace, shop: StorefrontProcess, products: int, *, rotates: bool) -> Figures:
    """One short run."""
    plan = Plan(
        products=products,
        leak_kb=_LEAK_KB,
        rotates=rotates,
        page_uses=5,
        context_uses=25,
        deadline_s=120,
        weight="light",
    )
    found = figures(carry_out(plan, shop, place))
    assert (found.ended, found.missing, found.wrong) == ("", 0, ())
    return found


def test_with_rotation_memory_is_flat(place: Workplace, shop: StorefrontProcess) -> None:
    """The last quarter against the second one."""
    found = soak(place, shop, 600, rotates=True)
    assert found.rotations["page"] >= 60
    assert found.memory_ratio <= _MOST_GROWTH, found
    place.assert_nothing_left()


def test_without_rotation_the_same_pages_make_it_grow(place: Workplace, shop: StorefrontProcess) -> None:
    """So the test above could fail."""
    found = soak(place, shop, 300, rotates=False)
    assert sum(found.rotations.values()) == 0
    assert found.memory_ratio >= max(_MOST_GROWTH, LEAST_CONTROL_GROWTH) - 0.1, found
    place.assert_nothing_left()
