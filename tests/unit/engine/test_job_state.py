"""What lanes share about a batch, and that it is freed whatever ends the batch."""

from __future__ import annotations

import asyncio

import pytest

from pagemill.engine.job_state import JobStates
from tests.unit.engine.stand_ins import batch, shop


def test_products_are_taken_in_order_and_one_put_back_comes_next() -> None:
    """A product whose turn did not come keeps its place."""
    states, work = JobStates(), batch(3)
    with states.open(work, shop(), list(work.products), asyncio.Event()) as state:
        first = state.take()
        assert first is not None
        assert first.id == "p1"
        state.put_back(first)
        assert [product.id for product in iter(state.take, None) if product] == ["p1", "p2", "p3"]
        assert state.take() is None


def test_after_a_stop_nothing_is_taken() -> None:
    """What waits stays, to be counted as remaining."""
    states, work, stop = JobStates(), batch(3), asyncio.Event()
    with states.open(work, shop(), list(work.products), stop) as state:
        state.take()
        stop.set()
        assert state.take() is None
        assert len(state.waiting) == 2


@pytest.mark.parametrize("error", [None, ValueError("wrong"), asyncio.CancelledError(), SystemExit(1)])
def test_a_state_is_freed_whatever_ends_its_batch(error: BaseException | None) -> None:
    """No account of a batch outlives it, and no product hangs on in one that somebody still holds."""
    states, work = JobStates(), batch(3)
    held = None
    try:
        with states.open(work, shop(), list(work.products), asyncio.Event()) as held:
            assert len(states) == 1
            if error is not None:
                raise error
    except BaseException as raised:
        assert raised is error
    assert len(states) == 0
    assert held is not None
    assert not held.waiting


def test_the_same_batch_twice_at_once_is_freed_twice() -> None:
    """A batch that could not be cancelled in time may meet its own second try."""
    states, work = JobStates(), batch(1)
    first = states.open(work, shop(), list(work.products), asyncio.Event())
    second = states.open(work, shop(), list(work.products), asyncio.Event())
    with first:
        second.__enter__()
        assert len(states) == 2
    assert len(states) == 1
    second.__exit__(None, None, None)
    assert len(states) == 0
