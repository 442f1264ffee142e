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


def test_a_short_chaos_run_loses_and_leaves_nothing(tmp_path: Path) -> None:
    """Every product has exactly one result and no untrue one; no process, lease, batch or folder is left."""
    shape = Shape(run_size=150, queue={"heartbeat_interval_s": 0.5, "heartbeat_ttl_s": 5})
    report = chaos(
        tmp_path / "ground",
        [BY_NAME[name] for name in KINDS],
        faults=len(KINDS),
        seed=20,
        shape=shape,
        recovery_limit_s=8.0,  # what has not healed by then is killed: how fast it heals depends on the machine
        stock_s=15.0,
        patience_s=40.0,
    )
    account = report.account
    assert {injection.kind for injection in report.injections} == set(KINDS), report.skipped
    assert (account.lost, account.doubled, account.false, account.left) == (0, 0, 0, ())
    assert account.results == account.products >= shape.run_size
    assert account.failed == {}
    assert report.restarts == 0
