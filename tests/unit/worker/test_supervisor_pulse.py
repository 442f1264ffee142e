"""The beat of a child, and what it does when its supervisor has gone."""

from __future__ import annotations

import os
import signal
import time

import pytest

from pagemill.worker.child import Pulse, new_beat


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The signals that are sent, instead of sending them."""
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    return signals


def test_a_beat_is_the_moment_on_the_clock_that_all_processes_share(sent: list[tuple[int, int]]) -> None:
    """Zero before the first one."""
    beat = new_beat()
    assert beat.value == 0
    before_s = time.monotonic()
    Pulse(beat, os.getppid())()
    assert before_s <= beat.value <= time.monotonic()
    assert sent == []


def test_an_orphan_asks_itself_to_drain_once(sent: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A second SIGTERM would stop it at once; beats go on while it drains."""
    beat = new_beat()
    pulse = Pulse(beat, os.getppid())
    pulse()
    monkeypatch.setattr(os, "getppid", lambda: 1)
    for _ in range(3):
        beat.value = 0.0
        pulse()
        assert beat.value > 0
    assert sent == [(os.getpid(), signal.SIGTERM)]
