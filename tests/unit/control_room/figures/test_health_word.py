"""The fleet in one word."""

from __future__ import annotations

from dataclasses import replace

from pagemill.config.settings import GuardSettings
from pagemill.control_room.figures.health_word import health_of
from pagemill.fleet.snapshot import WorkerSnapshot

WORKER = WorkerSnapshot("w1", 1, "machine", ("musinsa",), 1, 4, 100.0, 120.0, 7)
SILENT = replace(WORKER, name="w2", silent_s=90)


def test_nobody_at_work_is_fine_until_something_waits() -> None:
    """A fleet may be switched off; not while batches wait for it."""
    assert health_of([], GuardSettings()).word == "healthy"
    waiting = health_of([], GuardSettings(), waiting=3)
    assert (waiting.word, waiting.message) == ("warning", "no worker is running, and 3 batches wait")


def test_a_silent_worker_is_a_warning() -> None:
    """Beside others that are well, and alone."""
    assert health_of([WORKER], GuardSettings(), waiting=3).word == "healthy"
    assert health_of([WORKER, SILENT], GuardSettings()).word == "warning"
    assert health_of([SILENT], GuardSettings()).word == "warning"


def test_the_worst_worker_decides() -> None:
    """By the pressure that its own guard tells."""
    pressed = replace(WORKER, pressure="critical", pressure_reason="shm")
    found = health_of([WORKER, pressed], GuardSettings())
    assert found.word == "critical"
    assert "shm is short" in found.message
