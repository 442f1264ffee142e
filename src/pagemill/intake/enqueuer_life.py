"""Both ends of a run's signs of life: who enqueues gives them, who looks after runs notices that they stopped.

A run whose enqueuer died is closed with what was handed in by then. Who goes on with it, be it the scheduler, the same
request over HTTP, or an enqueuer that had only been stopped, opens it again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from pagemill.config.remedies import Remedy
from pagemill.errors import DatabaseUnavailable
from pagemill.results.runs import broke_off
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("queue")

SIGN_S = 5.0
"""How often whoever enqueues says that it lives."""
LOOKS = 4
"""So many looks in a row, of which there is one in 10 s, must have found nothing new. Looks are counted and not
seconds: a database that is away takes the signs from the one and the looks from the other."""
_CLOSE_S = 10.0


@contextmanager
def giving_signs_of_life(store: ResultStore, run: str) -> Iterator[None]:
    """Gives them for the `with` block, by a thread: the next product may take minutes to come.

    Raises:
        DatabaseUnavailable: the first one could not be given. One later that cannot be is given again soon.
    """
    signs = SignsOfLife(store)
    signs.give(run)
    ended = threading.Event()

    def give() -> None:
        while not ended.wait(SIGN_S):
            try:
                signs.give(run)
            except DatabaseUnavailable:
                continue  # whoever puts the next batch there tells it
            except Exception:
                log.exception(events.UNEXPECTED, where=threading.current_thread().name)

    thread = threading.Thread(target=give, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_CLOSE_S)


class DeadEnqueuers:
    """Looks for them, for one process."""

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when it looks."""
        self._signs = SignsOfLife(store)
        self._seen: dict[str, tuple[datetime, int]] = {}
        """By run: what was said last, and at how many looks that was nothing new."""

    def look(self) -> None:
        """Closes the runs whose enqueuers have given no sign of life for a while, and tells each once. To be called
        every 10 s.

        Raises:
            DatabaseUnavailable: the next look goes on.
        """
        seen: dict[str, tuple[datetime, int]] = {}
        for each in self._signs.enqueueing():
            said_at, looks = self._seen.get(each.run, (None, 0))
            looks = looks + 1 if said_at == each.said_at else 0
            seen[each.run] = each.said_at, looks
            if looks >= LOOKS and (broken := self._signs.break_off(each)) is not None:
                log.error(
                    events.RUN_BROKEN_OFF,
                    run=broken.run,
                    platform=broken.platform,
                    products=broken.products,
                    error=broke_off(broken.products),
                    remedy=Remedy.BROKEN_OFF.value,
                )
        self._seen = seen

    def forget(self) -> None:
        """What was seen; to be called where another process looks."""
        self._seen.clear()
