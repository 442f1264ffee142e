"""An enqueuer that is killed, with its run on PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from pagemill.intake.enqueuer_life import LOOKS, DeadEnqueuers
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore
from tests.e2e.workplace import Workplace, eventually

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.timeout(120)]


def test_a_killed_enqueuers_run_is_closed_and_a_living_ones_is_not(tmp_path: Path, database_url: str) -> None:
    """The command waits for the rest of a catalogue that is still being written; then it is killed."""
    place = Workplace(tmp_path)
    place.environment_changes["PAGEMILL_DATABASE_URL"] = database_url
    catalogue = tmp_path / "catalogue.jsonl"
    os.mkfifo(catalogue)
    command = [sys.executable, "-m", "pagemill", "enqueue", catalogue.name, "--platform", "demo-hydrated"]
    with place.redis(), ResultStore(database_url) as store:
        process = subprocess.Popen(command, cwd=tmp_path, env=place.environment)
        asked, signs = AskedBatches(store), SignsOfLife(store)
        with process, catalogue.open("w") as out:
            out.writelines(f'{{"id": "P{n}", "url": "http://127.0.0.1:8900/{n}"}}\n' for n in range(8100))
            out.flush()
            eventually(lambda: reached(asked, store) == 8000, 60, "all that can be noted")
            given: set[datetime] = set()

            def are_given() -> bool:
                given.update(each.said_at for each in signs.enqueueing())
                return len(given) > 2

            eventually(are_given, 60, "signs of life without a batch")
            process.kill()
            assert process.wait(10) == -signal.SIGKILL
        looker = DeadEnqueuers(store)
        for _ in range(LOOKS + 1):
            looker.look()
        progress = store.progress(str(store.latest_run()))
    assert (progress.broken_off, progress.products) == (True, 8000)


def reached(asked: AskedBatches, store: ResultStore) -> int:
    """How many products of the only run are noted."""
    run = store.latest_run()
    return asked.reached(run).products if run else 0
