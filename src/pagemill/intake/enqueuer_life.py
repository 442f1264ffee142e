"""Signs of life of enqueuers: an enqueuer gives them, and another process notices when they stop.

A run whose enqueuer died is closed with the products queued so far. Whoever continues the run opens it again: the
scheduler, the same request over HTTP, or an enqueuer that was only suspended.
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
"""Seconds between two signs of life."""
LOOKS = 4
"""So many looks in a row, one every 10 s, must find no new sign. Looks are counted instead of seconds, because an
outage of the database prevents signs as well as looks."""
_CLOSE_S = 10.0


@contextmanager
def giving_signs_of_life(store: ResultStore, run: str) -> Iterator[None]:
    """Gives signs of life during the `with` block, on a thread, because the next product may take minutes to come.

    Raises:
        DatabaseUnavailable: the first sign failed. A later sign that fails is only repeated.
    """
    signs = SignsOfLife(store)
    signs.give(run)
    ended = threading.Event()

    def give() -> None:
        while not ended.wait(SIGN_S):
            try:
                signs.give(run)
            except DatabaseUnavailable:
                continue  # the next batch will raise the error
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
    """Finds runs with a dead enqueuer, for one process."""

    def __init__(self, store: ResultStore) -> None:
        """`store` must be open when `look` is called."""
        self._signs = SignsOfLife(store)
        self._seen: dict[str, tuple[datetime, int]] = {}
        """By run: the last sign of life, and how many looks have found no newer one."""

    def look(self) -> None:
        """Closes the runs whose enqueuers have given no sign of life for a while, and logs each once. To be called
        every 10 s.

        Raises:
            DatabaseUnavailable: the next look tries again.
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
        """Forgets the signs seen so far. To be called while another process looks."""
        self._seen.clear()
