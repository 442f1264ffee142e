"""Writes the log to files in one folder: `combined.log` has all lines, `error.log` and `performance.log` some of them.

Logging never waits for the disk: lines go through a queue of limited length to a thread. If the disk is full, too slow
or not writable, only these files lose lines. That is logged once when it begins, and once when it is over.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import structlog

from pagemill.telemetry import events
from pagemill.telemetry.shared_file import SharedFile

PERFORMANCE = frozenset(
    {
        events.PAGE_ROTATION,
        events.CONTEXT_ROTATION,
        events.BROWSER_ROTATION,
        events.DRIVER_ROTATION,
        events.MEMORY,
        events.PRESSURE,
        events.PRESSURE_STEP,
        events.LANES_CHANGED,
        events.CLEANUP,
        events.LEAK_SUSPECTED,
        events.RENDERER_KILLED,
        events.UNRESPONSIVE,
        events.LOOP_STUCK,
        events.BATCH,
        events.TIMEOUT,
        events.SLOWED_DOWN,
        events.SPED_UP,
        events.SLOW_STATEMENT,
        events.PATTERN_TOO_SLOW,
    }
)
"""Events about memory and speed."""

MOST_BYTES = 10_000_000
KEPT = 5
_QUEUED = 10_000
_RETRY_S = 5.0
_CLOSE_S = 2.0


def _event(record: logging.LogRecord) -> object:
    return record.msg.get("event") if isinstance(record.msg, dict) else None


FILES: Mapping[str, Callable[[logging.LogRecord], bool]] = MappingProxyType(
    {
        "combined.log": lambda _record: True,
        "error.log": lambda record: record.levelno >= logging.ERROR,
        "performance.log": lambda record: _event(record) in PERFORMANCE,
    }
)
"""Which lines each file gets."""


class LogFiles(logging.Handler):
    """This process' share of the log files in a folder."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES, queued: int = _QUEUED) -> None:
        """
        Args:
            folder: on a local disk; created if needed.
            most_bytes: the size at which a file is rotated; five older files of each are kept.
            queued: how many lines may wait for the disk.
        """
        super().__init__()
        self._folder = folder
        self._files = {name: SharedFile(folder / name, most_bytes, KEPT) for name in FILES}
        self._lines: queue.Queue[tuple[bytes, list[str]] | None] = queue.Queue(queued)
        self._thread: threading.Thread | None = None
        self._state = threading.Lock()
        self._lost = 0
        self._retry_at_s = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Queues a line; it is lost if the queue is full."""
        try:
            text = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        except Exception:  # noqa: BLE001 - `logging` reports lines that cannot be formatted, as for every handler
            self.handleError(record)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pagemill-log-files", daemon=True)
            self._thread.start()
        try:
            self._lines.put_nowait((text, [name for name, takes in FILES.items() if takes(record)]))
        except queue.Full:
            self._lose("the disk does not keep up")

    def close(self) -> None:
        """Writes the waiting lines, for up to a few seconds."""
        if self._thread is not None:
            try:
                self._lines.put(None, timeout=_CLOSE_S)
            except queue.Full:  # drops a line, because without the end mark the thread would wait for ever
                with contextlib.suppress(queue.Empty, queue.Full):
                    self._lines.get_nowait()
                    self._lines.put_nowait(None)
            self._thread.join(_CLOSE_S)
        super().close()

    def _run(self) -> None:
        is_begun = False
        while (waiting := self._lines.get()) is not None:
            text, names = waiting
            if time.monotonic() < self._retry_at_s:
                self._lose("")
                continue
            try:
                for name, file in self._files.items():
                    if name in names or not is_begun:  # the first line creates all files, so that they can be followed
                        file.append(text if name in names else b"")
                is_begun = True
            except OSError as error:
                self._retry_at_s = time.monotonic() + _RETRY_S
                self._lose(str(error))
            else:
                self._regain()
        for file in self._files.values():
            file.close()

    def _lose(self, why: str) -> None:
        with self._state:
            is_first = self._lost == 0
            self._lost += 1
        if is_first:
            remedy = "make room there, or name another folder in PAGEMILL_LOG_FOLDER"
            _log.warning(events.LOG_FILES_AWAY, folder=str(self._folder), error=why, remedy=remedy)

    def _regain(self) -> None:
        with self._state:
            lost, self._lost = self._lost, 0
        if lost:
            _log.warning(events.LOG_FILES_BACK, folder=str(self._folder), lost=lost)


_log = structlog.get_logger(component="log")
