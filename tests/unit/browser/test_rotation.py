"""Deciding what to replace: tables, without a browser."""

from __future__ import annotations

import pytest

from pagemill.browser.rotation import (
    LIGHT_USES,
    RotationLevel,
    RotationOrder,
    Wear,
    WearLimits,
    decide_rotation,
    due,
    last_use,
    with_jitter,
)

LIMITS = WearLimits(max_uses=10, max_errors=3)


def wear(*, uses: int = 0, errors: int = 0, bad: str = "", born_s: float = 0.0) -> Wear:
    """Wear of something with a limit of 100 s."""
    return Wear(born_s=born_s, max_age_s=100.0, uses=uses, errors=errors, bad=bad)


@pytest.mark.parametrize(
    ("state", "now_s", "reason"),
    [
        (wear(), 0, None),
        (wear(uses=9), 99.9, None),
        (wear(uses=10), 0, "uses"),
        (wear(uses=11), 0, "uses"),
        (wear(), 100, "age"),
        (wear(born_s=50), 149, None),
        (wear(errors=2), 0, None),
        (wear(errors=3), 0, "errors"),
        (wear(bad="crash"), 0, "crash"),
        (wear(uses=10, errors=3, bad="crash"), 100, "crash"),
        (wear(uses=10, errors=3), 100, "errors"),
        (wear(uses=10), 100, "uses"),
    ],
)
def test_each_limit_gives_its_reason(state: Wear, now_s: float, reason: str | None) -> None:
    """What is marked bad comes first, then errors, uses and age."""
    assert due(state, LIMITS, now_s) == reason


def test_the_highest_level_that_is_due_is_ordered() -> None:
    """Replacing a browser replaces its pages: ordering both would be twice the work."""
    limits = dict.fromkeys(RotationLevel, LIMITS)
    wears = {
        RotationLevel.PAGE: wear(uses=10),
        RotationLevel.CONTEXT: wear(uses=10),
        RotationLevel.BROWSER: wear(),
        RotationLevel.DRIVER: wear(),
    }
    assert decide_rotation(wears, limits, 0) == RotationOrder(RotationLevel.CONTEXT, "uses")
    wears[RotationLevel.DRIVER] = wear(errors=3)
    assert decide_rotation(wears, limits, 0) == RotationOrder(RotationLevel.DRIVER, "errors")


def test_nothing_is_ordered_while_all_are_fresh() -> None:
    """No level due, no order."""
    assert decide_rotation(dict.fromkeys(RotationLevel, wear()), dict.fromkeys(RotationLevel, LIMITS), 0) is None


def test_errors_count_in_a_row_only() -> None:
    """One good use forgives the bad ones before it."""
    state = wear()
    for failed in (True, True, False, True):
        state.use(failed=failed)
    assert (state.uses, state.errors) == (4, 1)


def test_the_last_use_is_known_before_it_begins() -> None:
    """The successor is opened during the last use."""
    assert not last_use(wear(uses=8), LIMITS)
    assert last_use(wear(uses=9), LIMITS)


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 100.0), (0.5, 95.0), (0.999, 90.01)])
def test_jitter_only_shortens(chance: float, expected: float) -> None:
    """A limit is never exceeded for the jitter's sake."""
    assert with_jitter(100.0, lambda: chance) == pytest.approx(expected)


def test_light_uses_wear_a_twentieth() -> None:
    """What loads no document hardly makes a page grow; its errors count like any other's."""
    state = wear()
    for _ in range(LIGHT_USES - 1):
        state.use(failed=False, light=True)
    assert state.uses == 0
    state.use(failed=True, light=True)
    assert (state.uses, state.errors) == (1, 1)
    state.use(failed=False)
    assert (state.uses, state.errors) == (2, 0)
