"""What may become of a slot, and what may not."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from pagemill.browser.open_state import DriverState, Generation, OpenContext, OpenPage
from pagemill.browser.opener import BrowserHandle, ContextHandle, DriverHandle, PageHandle
from pagemill.browser.rotation import RotationLevel, Wear
from pagemill.browser.slot import Slot, Successor
from pagemill.errors import PageLost
from tests.unit.browser.test_pool import shop


def wear() -> Wear:
    return Wear(0.0, 100.0)


def context() -> OpenContext:
    return OpenContext(ContextHandle(cast(Any, object()), None), wear())


def page() -> OpenPage:
    return OpenPage(PageHandle(cast(Any, object()), cast(Any, object())), wear())


async def successor(level: RotationLevel, kept: OpenContext | None = None, error: Exception | None = None) -> Successor:
    """One that has been opened, or could not be."""

    async def opened() -> tuple[OpenContext, OpenPage]:
        if error is not None:
            raise error
        return kept or context(), page()

    task = asyncio.ensure_future(opened())
    await asyncio.wait([task])
    return Successor(task, level)


def empty() -> Slot:
    driver = DriverState(DriverHandle(None, 0), wear())
    return Slot(shop(), Generation(driver, BrowserHandle(cast(Any, object()), 0, 0, None), wear()))


async def furnished() -> Slot:
    slot = empty()
    slot.expect(await successor(RotationLevel.CONTEXT))
    slot.furnish()
    return slot


async def leased() -> Slot:
    slot = await furnished()
    slot.lease()
    return slot


async def ended() -> Slot:
    slot = await furnished()
    slot.end()
    return slot


def release(slot: Slot, **more: Any) -> None:
    slot.release(7.0, failed=False, light=False, **more)


async def test_an_empty_slot_is_furnished_by_its_successor() -> None:
    """From then on it is ready, and unused until its first lease has ended."""
    slot = empty()
    assert slot.is_empty and slot.lacks_a_page and not slot.is_ready
    slot.expect(await successor(RotationLevel.CONTEXT))
    assert slot.is_ready and not slot.is_empty and not slot.lacks_a_page
    slot.furnish()
    assert slot.is_ready and slot.is_unused and slot.successor is None
    slot.lease()
    release(slot)
    assert slot.released_s == 7.0 and not slot.is_unused


async def test_a_successor_that_could_not_be_opened_furnishes_nothing() -> None:
    """Whoever asks learns why, and the slot can still be ended."""
    slot = empty()
    slot.expect(await successor(RotationLevel.CONTEXT, error=PageLost("no")))
    assert not slot.is_ready
    with pytest.raises(PageLost):
        slot.furnish()
    slot.end()


async def test_a_page_that_is_taken_out_leaves_its_context() -> None:
    """The next one comes in it."""
    slot = await furnished()
    before = slot.context
    assert slot.take_out(RotationLevel.PAGE) == (before, slot.page) or slot.page is None
    assert slot.context is before and slot.lacks_a_page and not slot.is_empty
    slot.expect(await successor(RotationLevel.PAGE, before))
    slot.furnish()
    assert slot.context is before


@pytest.mark.parametrize(("stands_in", "stays"), [(RotationLevel.PAGE, False), (RotationLevel.CONTEXT, True)])
async def test_a_context_that_is_taken_out_takes_what_stood_by_in_it(stands_in: RotationLevel, *, stays: bool) -> None:
    """A successor with a context of its own stays."""
    slot = await furnished()
    slot.expect(await successor(stands_in, slot.context if stands_in is RotationLevel.PAGE else None))
    slot.take_out(RotationLevel.CONTEXT)
    assert (slot.successor is not None, slot.is_empty) == (stays, not stays)


async def test_a_use_counts_on_all_that_the_page_stands_in() -> None:
    """And what must not be used again is marked; what was marked before keeps its reason."""
    slot = await leased()
    slot.condemn("proxy")
    release(slot, bad="DeadlineExceeded", bad_context="blocked")
    assert slot.page is not None and slot.context is not None
    assert (slot.page.wear.uses, slot.context.wear.uses, slot.generation.wear.uses) == (1, 1, 1)
    assert (slot.page.wear.bad, slot.context.wear.bad) == ("DeadlineExceeded", "proxy")
    assert slot.is_condemned


async def test_what_is_left_at_the_end_is_given_out_once() -> None:
    """To be closed by whoever ends the slot."""
    slot = await furnished()
    before, waiting = slot.context, await successor(RotationLevel.CONTEXT)
    slot.expect(waiting)
    assert slot.end() == (before, waiting)
    assert slot.is_empty
    with pytest.raises(AssertionError, match="has ended"):
        slot.end()


MOVES: dict[str, Any] = {
    "furnish": lambda slot: slot.furnish(),
    "lease": lambda slot: slot.lease(),
    "release": release,
    "condemn": lambda slot: slot.condemn("pressure"),
    "take_out": lambda slot: slot.take_out(RotationLevel.PAGE),
    "end": lambda slot: slot.end(),
}
ALLOWED = {
    "empty": {"end"},
    "furnished": {"lease", "take_out", "end"},
    "leased": {"release", "condemn"},
    "ended": set[str](),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", ALLOWED)
async def test_nothing_else_can_be_done_to_it(state: str, move: str) -> None:
    """What is at work is not taken apart, what has ended does not come back, what has no page is not leased."""
    slots = {"empty": empty(), "furnished": await furnished(), "leased": await leased(), "ended": await ended()}
    if move in ALLOWED[state]:
        MOVES[move](slots[state])
    else:
        with pytest.raises(AssertionError):
            MOVES[move](slots[state])


@pytest.mark.parametrize("case", ["ended", "second", "without a context"])
async def test_a_successor_is_expected_where_it_can_come(case: str) -> None:
    """Not where the slot has ended, where there is one, or as a page where there is no context."""
    slot = await ended() if case == "ended" else empty()
    if case == "second":
        slot.expect(await successor(RotationLevel.CONTEXT))
    coming = await successor(RotationLevel.PAGE if case == "without a context" else RotationLevel.CONTEXT)
    with pytest.raises(AssertionError):
        slot.expect(coming)
