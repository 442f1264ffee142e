"""The sidecar thread: runs the chores that must go on while the engine's loop is stuck. Knows none of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("guard")


@dataclass(slots=True)
class Chore:
    """Something that is done regularly. An error in it is logged, and does not stop its next run."""

    name: str
    interval_s: float
    work: Callable[[], object]
    due_s: float = field(default=0.0)
    """When it is due, in monotonic seconds; 0 means at once."""


class Sidecar:
    """One named thread that runs chores one after another. `start` it, `stop` it."""

    def __init__(self, name: str = "sidecar") -> None:
        """`name` is the thread's name."""
        self._chores: list[Chore] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def add(self, chore: Chore) -> None:
        """Adds a chore; only before `start`."""
        self._chores.append(chore)

    def change_interval(self, name: str, interval_s: float) -> None:
        """Changes a chore's interval from now on. May be called from any thread."""
        for chore in self._chores:
            if chore.name == name and chore.interval_s != interval_s:
                chore.interval_s = interval_s
                chore.due_s = min(chore.due_s, time.monotonic() + interval_s)

    def start(self) -> None:
        """Starts the thread. Every chore runs when it is first due, mostly at once, and then at its interval."""
        self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """Ends the thread, and waits for it up to `timeout_s`."""
        if self._thread.is_alive():
            self._stop.set()
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            now_s = time.monotonic()
            for chore in self._chores:
                if chore.due_s <= now_s:
                    chore.due_s = now_s + chore.interval_s
                    self._do(chore)
            next_s = min((chore.due_s for chore in self._chores), default=now_s + 1.0)
            self._stop.wait(max(0.0, next_s - time.monotonic()))

    def _do(self, chore: Chore) -> None:
        try:
            chore.work()
        except Exception:
            log.exception(events.UNEXPECTED, chore=chore.name)
