"""The guard's settings that a worker publishes."""

from __future__ import annotations

from pagemill.config.changeable import changeable_values, changed
from pagemill.config.settings import GuardSettings
from pagemill.fleet.snapshot import WorkerSnapshot


def test_a_worker_of_another_version_tells_what_it_can() -> None:
    """An older one leaves settings out, a newer one has some that are not known here."""
    settings = changed(GuardSettings(), {"warning_percent": 65.0, "gc_interval_s": 60})
    told = {**changeable_values(settings), "newer": 1}
    del told["gc_interval_s"]
    worker = WorkerSnapshot("w", 1, "host", (), 1, 4, 0.0, 0.0, 0, guard=told)
    assert worker.guard_in_force(GuardSettings(gc_interval_s=90)) == changed(settings, {"gc_interval_s": 90})
