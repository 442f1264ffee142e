"""The simulation of a fleet speaks to Redis as workers do, and tells what that came to."""

from __future__ import annotations

import pytest

from benchmarks.fleet_ground import Fleet
from benchmarks.fleet_scenes import measure, watch
from pagemill.broker.server_program import _program
from pagemill.config.settings import QueueSettings

SMALL = Fleet(workers=3, shops=2, groups=1, lanes=2, wait_ms="50-100", visit_s=0.05, batch=5)


@pytest.mark.parametrize("scene", ["idle", "work"])
def test_a_small_fleet_is_measured(scene: str) -> None:
    """In processes of its own: it looks where nothing is, and works batches off where something is."""
    a_beat_of_each_s = QueueSettings().heartbeat_interval_s + 1
    found = measure(scene, _program(), SMALL, 2, 1.0, a_beat_of_each_s)
    assert found.errors == 0
    assert found.look_p50_ms > 0
    assert {"evalsha", "set", "hset", "expire"} <= found.calls.keys()
    if scene == "idle":
        assert (found.visits, found.batches) == (0, 0)
        assert found.looks > 3  # each ten times a second, on an idle machine
    else:
        assert found.visits > 0
        assert found.batches > 0


def test_what_the_api_sees_is_measured() -> None:
    """Workers among the batches of a queue."""
    found = watch(_program(), SMALL, 40)
    assert (found.workers, found.waiting) == (3, 40)
    assert found.queue_mb > 0
