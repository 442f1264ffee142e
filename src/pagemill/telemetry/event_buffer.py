"""Copies log lines that the whole fleet should see, unchanged, for the thread that publishes them.

A limited number of lines waits here until that thread takes them. Logging never waits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from pagemill.telemetry import events

QUIET = frozenset({events.ITEM, events.MEMORY, events.BATCH, events.PAGE_ROTATION, events.CLEANUP, events.UNEXPECTED})
"""Events that are frequent or no news; their counts are published in other ways."""
_MOST = 500
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class BufferedEvent:
    """One log line."""

    event: str
    level: str
    at: str
    """ISO 8601, UTC."""
    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


class EventBuffer:
    """A processor of structlog that does not change lines. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: deque[BufferedEvent] = deque(maxlen=_MOST)
        self._listening = False

    def open(self) -> None:
        """Starts keeping lines."""
        self._listening = True

    def close(self) -> None:
        """Stops keeping lines, and drops those that were not taken."""
        self._listening = False
        with self._lock:
            self._told.clear()

    def __call__(self, _logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Keeps the line if the fleet should see it."""
        event = line.get("event")
        if self._listening and event in _KNOWN:
            facts = {name: _short(value) for name, value in line.items() if name not in _OWN}
            told = BufferedEvent(str(event), str(line.get("level", "")), str(line.get("timestamp", "")), facts)
            with self._lock:
                self._told.append(told)
        return line

    def take(self, send: Callable[[list[BufferedEvent]], object]) -> None:
        """Passes the kept lines to `send`; they stay here if `send` raises an error."""
        with self._lock:
            told = list(self._told)
        if not told:
            return
        send(told)
        with self._lock:
            for each in told:
                if self._told and self._told[0] is each:
                    self._told.popleft()


_OWN = frozenset({"event", "level", "timestamp", "exception", "stack"})
_KNOWN = frozenset(value for name, value in vars(events).items() if name.isupper() and value not in QUIET)

EVENT_BUFFER = EventBuffer()
"""This process' buffer; `set_up_logging` adds it to structlog's processors."""


def _short(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, int | float | bool):
        return value
    return str(value)[:_LONGEST]
