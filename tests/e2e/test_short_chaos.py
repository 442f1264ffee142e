"""A short chaos run: pages, browsers, drivers and workers are killed and stopped at random moments of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.chaos import chaos
from benchmarks.chaos_faults import BY_NAME
from benchmarks.chaos_ground import Shape

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

KINDS = (
    "kill-renderer",
    "kill-browser",
    "kill-driver",
    "kill-worker",
    "stop-renderer",
    "stop-browser",
    "stop-driver",
)


@pytest.mark.parametrize("driver", ["playwright", "none"])
def test_a_short_chaos_run_loses_and_leaves_nothing(tmp_path: Path, driver: str) -> None:
    """Every product has exactly one result and no untrue one; no process, lease, batch or folder is left."""
    shape = Shape(run_size=150, queue={"heartbeat_interval_s": 0.5, "heartbeat_ttl_s": 5}, driver=driver)
    kinds = [kind for kind in map(BY_NAME.__getitem__, KINDS) if driver == "playwright" or not kind.takes_driver]
    report = chaos(
        tmp_path / "ground",
        kinds,
        faults=len(kinds),
        seed=20,
        shape=shape,
        recovery_limit_s=8.0,  # what has not healed by then is killed: how fast it heals depends on the machine
        stock_s=15.0,
        patience_s=40.0,
    )
    account = report.account
    assert {injection.kind for injection in report.injections} == {kind.name for kind in kinds}, report.skipped
    assert (account.lost, account.doubled, account.false, account.left) == (0, 0, 0, ())
    assert account.results == account.products >= shape.run_size
    assert account.failed == {}
    assert report.restarts == 0
