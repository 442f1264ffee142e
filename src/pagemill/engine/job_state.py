"""The job state of each running batch, which its lanes share, and the list of all of them.

A state exists as long as its batch runs. `JobStates.open` frees it in `finally`, whatever ends the batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pagemill.config.platform import Platform
from pagemill.model import Batch, Product
from pagemill.revisit.visit_memory import Visited


@dataclass(eq=False, slots=True)
class JobState:
    """One batch at work."""

    batch: Batch
    platform: Platform
    waiting: deque[Product]
    """Products that no lane has taken yet."""
    stop: asyncio.Event
    """Set when lanes must stop at the next item boundary."""
    done: int = 0
    visited: list[Visited] = field(default_factory=list)
    """The visits so far, for a platform that remembers them (`revisit`)."""
    store: Callable[[], Awaitable[None]] | None = None
    """Waits until results are stored. Set if the next product may kill the worker and lose unstored results."""
    _left: bool = False

    @property
    def has_work(self) -> bool:
        """Whether a lane would find something to do."""
        return bool(self.waiting) and not self._left and not self.stop.is_set()

    def leave(self) -> None:
        """Sends this batch back to the queue: no lane begins another product of it."""
        self._left = True

    def take(self) -> Product | None:
        """The next product; `None` if there is none, or if lanes must stop."""
        return self.waiting.popleft() if self.has_work else None

    def put_back(self, product: Product) -> None:
        """Returns a product that was taken but not visited."""
        self.waiting.appendleft(product)


@dataclass(slots=True)
class JobStates:
    """All batches at work in this process. One that was not cancelled in time may meet its own second try."""

    _states: set[JobState] = field(default_factory=set)

    @contextmanager
    def open(
        self, batch: Batch, platform: Platform, products: list[Product], stop: asyncio.Event
    ) -> Iterator[JobState]:
        """The state of one batch, freed when the block is left in any way."""
        state = JobState(batch, platform, deque(products), stop)
        self._states.add(state)
        try:
            yield state
        finally:
            self._states.discard(state)
            state.waiting.clear()

    @property
    def at_work(self) -> tuple[JobState, ...]:
        """The states of the batches at work, sorted by platform. May be called from any thread."""
        return tuple(sorted(self._states, key=lambda state: state.batch.platform))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms with a batch at work."""
        return tuple(dict.fromkeys(state.batch.platform for state in self.at_work))

    def __len__(self) -> int:
        return len(self._states)
