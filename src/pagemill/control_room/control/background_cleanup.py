"""A clean-up of workers in the background: one at a time, on its own thread, with its outcome kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import uuid4

from pagemill.control_room.control.cleanup import CleanupOutcome
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")


@dataclass(frozen=True, slots=True)
class CleanupTask:
    """One requested clean-up."""

    task_id: str
    state: Literal["running", "done", "failed"]
    error: str = ""
    outcome: CleanupOutcome | None = None


class BackgroundCleanup:
    """The background clean-ups of one process. Each has its own thread and a deadline."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._task: CleanupTask | None = None

    @property
    def latest(self) -> CleanupTask | None:
        """The clean-up that is running, or the last one that ended."""
        return self._task

    def start(self, clean: Callable[[], CleanupOutcome]) -> CleanupTask | None:
        """Starts a clean-up; `None` while another one is running."""
        with self._lock:
            if self._task is not None and self._task.state == "running":
                return None
            task = CleanupTask(uuid4().hex, "running")
            self._task = task
            self._thread = threading.Thread(target=self._run, args=(task, clean), name="cleanup", daemon=True)
            self._thread.start()
            return task

    def close(self, timeout_s: float) -> None:
        """Waits up to `timeout_s` for the thread."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _run(self, task: CleanupTask, clean: Callable[[], CleanupOutcome]) -> None:
        ended = replace(task, state="failed", error="it ended by an error; the API's log says which")
        try:
            outcome = clean()
            state: Literal["done", "failed"] = "done" if outcome.success else "failed"
            ended = replace(task, state=state, error="" if outcome.success else outcome.message, outcome=outcome)
        except Exception as error:
            log.exception(events.UNEXPECTED, where="background clean-up", error=type(error).__name__)
        finally:
            self._task = ended
