"""An event loop that skips waits: when nothing can happen before the next timer, it is that time at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _SkippingSelector(selectors.DefaultSelector):
    """Notes a wait instead of sitting it out."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        events = super().select(0)
        if not events and timeout > 0:
            self.skipped_s += timeout
        return events


class SkippingLoop(asyncio.SelectorEventLoop):
    """For coroutines that use no threads: the loop could not know that one of those is about to answer."""

    def __init__(self) -> None:
        self._skipping = _SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return super().time() + self._skipping.skipped_s


def run_skipping(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on a loop of its own that skips waits."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(work)
