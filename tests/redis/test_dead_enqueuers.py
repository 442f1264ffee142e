"""Enqueuers that are killed, stopped, or slow, in processes of their own: who died is told from who lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest
import redis
import yaml

import pagemill
from pagemill.config.loading import load_config
from pagemill.fleet.snapshot import WorkerSnapshot, publish
from pagemill.intake.batch_job import open_queue
from pagemill.intake.enqueuer_life import LOOKS, DeadEnqueuers
from pagemill.intake.schedule_firing import EntryFiring, FiringOutcome, latest_due, rule_of
from pagemill.intake.schedule_firing_log import LEADER_KEY, FiringLog
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.runs import RunState
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.redis.commands import Office, eventually
from tests.unit.cli.command import run
from tests.unit.results.result_values import make_result

pytestmark = [pytest.mark.redis, pytest.mark.timeout(240)]

WORKER = WorkerSnapshot("w1", 1, "machine", ("shop",), 1, 4, 100.0, 120.0, 7)
ENQUEUER = """
import sys
import pagemill

def rows():
    for number in range(int(sys.argv[2])):
        yield {"id": f"P{number}", "url": f"https://shop.test/{number}"}
    print("waits", flush=True)
    sys.stdin.readline()
    yield {"id": "last", "url": "https://shop.test/last"}

with pagemill.connect() as mill:
    mill.enqueue(rows(), "shop", source=sys.argv[1])
"""
HANDED_IN = 4100
NOTED = 4000
"""Of those; the others are still in the enqueuer's hands."""
WITHIN_S = 75.0


class Enqueuer:
    """A program of somebody's own, in the middle of `enqueue`: its next product does not come."""

    def __init__(self, office: Office, store: ResultStore, process: subprocess.Popen[str], name: str) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        assert process.stdout.readline() == "waits\n", office.log(name).read_text()
        self.run = next(each.run for each in store.runs() if each.source == name)

    def goes_on(self) -> None:
        """Lets the last product come, and waits for its end."""
        self._in.write("\n")
        self._in.flush()
        assert self.process.wait(30) == 0


@contextmanager
def enqueueing(office: Office, store: ResultStore, url: str, name: str, products: int) -> Iterator[Enqueuer]:
    """One that waits with so many products handed in."""
    with office.log(name).open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", ENQUEUER, name, str(products)],
            cwd=office.folder,
            env=office.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            yield Enqueuer(office, store, process, name)
        finally:
            if process.poll() is None:
                process.kill()


def kill_command(office: Office, store: ResultStore) -> str:
    """`pagemill enqueue` on a catalogue that is still being written, killed after some batches; its run."""
    catalogue = office.folder / "catalogue.jsonl"
    os.mkfifo(catalogue)
    with office.running("command", "enqueue", catalogue.name, "--platform", "shop") as process:
        with catalogue.open("w") as out:
            out.writelines(f'{{"id": "P{number}", "url": "https://shop.test/{number}"}}\n' for number in range(8000))
            out.flush()
            eventually(lambda: newest_reached(store), 60, "a batch")
            process.kill()
        assert process.wait(10) == -signal.SIGKILL
    [begun] = [each.run for each in store.runs() if each.source == catalogue.name]
    return begun


def newest_reached(store: ResultStore) -> int:
    """How many products of the command's run are noted."""
    found = [each.run for each in store.runs() if each.source == "catalogue.jsonl"]
    return AskedBatches(store).reached(found[0]).products if found else 0


def test_who_died_is_told_from_who_is_slow(
    tmp_path: Path, redis_server: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed one's run ends with what it had handed in; a slow one's goes on, as does a stopped one's that wakes."""
    office = Office(tmp_path, redis_server, redis_client)
    database = ResultStore(f"sqlite:///{tmp_path / 'data' / 'pagemill.db'}")
    with database as store, office.running("scheduler", "scheduler") as scheduler, ExitStack() as stack:
        killed, slow, stopped, early = (
            stack.enter_context(enqueueing(office, store, redis_server, name, products))
            for name, products in (("killed", HANDED_IN), ("slow", HANDED_IN), ("stopped", HANDED_IN), ("early", 1))
        )
        office.reported(scheduler)
        command = kill_command(office, store)
        handed_in = AskedBatches(store).reached(command).products
        killed.process.kill()
        early.process.kill()
        stopped.process.send_signal(signal.SIGSTOP)
        broken = [command, early.run, killed.run, stopped.run]

        def outlive_them() -> list[str]:
            return [each for each in broken if store.run(each).state is RunState.QUEUEING]

        eventually(lambda: not outlive_them(), WITHIN_S, "runs to be closed whose enqueuers died")
        assert [store.run(each.run).state for each in (early, killed, slow)] == [
            "incomplete",
            "at_work",
            RunState.QUEUEING,
        ]
        assert store.run(killed.run).products == NOTED
        assert store.run(command).products == handed_in > 0
        wait_to_the_end(office, redis_server, monkeypatch, store, killed.run)
        assert store.run(killed.run).state == "incomplete"
        told_everywhere(office, redis_server, killed.run)

        stopped.process.send_signal(signal.SIGCONT)
        for each in (slow, stopped):
            each.goes_on()
            assert store.run(each.run).products == HANDED_IN + 1
            assert store.run(each.run).state is RunState.AT_WORK
            assert set(queued(redis_client)[each.run].values()) == {1}
            assert len(queued(redis_client)[each.run]) == HANDED_IN + 1
        scheduler.terminate()
        assert scheduler.wait(30) == 0
    told = office.events("scheduler", events.RUN_BROKEN_OFF)
    assert sorted((line["run"], line["products"]) for line in told) == sorted(
        [(command, handed_in), (killed.run, NOTED), (stopped.run, NOTED), (early.run, 0)]
    )


BROKE_OFF = f"its enqueueing broke off after {NOTED} products"


def wait_to_the_end(office: Office, url: str, monkeypatch: pytest.MonkeyPatch, store: ResultStore, name: str) -> None:
    """Whoever waits is told at once; when what was handed in is worked off, that it is not all. `again` knows it."""
    publish(office.client, WORKER)
    monkeypatch.chdir(office.folder)
    monkeypatch.setenv("PAGEMILL_REDIS_URL", url)
    told: list[str] = []

    def work_off(sentence: str) -> None:
        told.append(sentence)
        store.write([make_result(f"P{number}", run=name) for number in range(NOTED)])

    with pagemill.connect() as mill:
        with pytest.raises(pagemill.RunIncomplete, match=f"run {name} is incomplete: {BROKE_OFF}"):
            mill.wait(name, timeout_s=30, on_stranded=work_off)
        [sentence] = told
        assert sentence.startswith(f"run {name} (shop): {BROKE_OFF}; enqueue its catalogue again")
        again = mill.again(name, verdicts=["ok"])
        assert mill.progress(again).products == NOTED


def told_everywhere(office: Office, url: str, name: str) -> None:
    """By `runs`, and by `status` until it is cancelled."""
    listed = run(office.folder, "runs", PAGEMILL_REDIS_URL=url, COLUMNS="300")
    [line] = [line for line in listed.out.splitlines() if name in line and f"again {name}" not in line]
    assert f"incomplete: {BROKE_OFF}" in line
    status = run(office.folder, "status", PAGEMILL_REDIS_URL=url, COLUMNS="400")
    [line] = [line for line in status.out.splitlines() if name in line and "broke off" in line]
    assert BROKE_OFF in line
    assert run(office.folder, "cancel", name, PAGEMILL_REDIS_URL=url).code == 0
    status = run(office.folder, "status", PAGEMILL_REDIS_URL=url, COLUMNS="400")
    assert not [line for line in status.out.splitlines() if name in line and "broke off" in line]


def queued(client: redis.Redis) -> dict[str, Counter[str]]:
    """How often each product stands on the queue, by run."""
    found: dict[str, Counter[str]] = {}
    for job in open_queue(client, "shop").get_jobs():
        found.setdefault(job.args[0], Counter()).update(product[0] for product in job.args[3])
    return found


ROWS = 90_000
WANTED = 3
"""Every third row is wanted: it takes seconds to read them all, and many batches."""


def write_catalogue(folder: Path, *but: str) -> None:
    """All rows, without some."""
    with (folder / "catalogue.csv").open("w") as out:
        out.write("id,url,name\n")
        for number in range(ROWS):
            if f"p{number}" not in but:
                out.write(f"p{number},https://shop.test/{number},name {number % WANTED}\n")


def due_now(office: Office) -> None:
    """A schedule with one entry whose time has just come."""
    write_catalogue(office.folder)
    now = datetime.now(UTC)
    entry = {
        "cron": f"{(now - timedelta(minutes=5)).minute} * * * *",
        "platform": "shop",
        "catalog": "catalogue.csv",
        "filter": {"name": "name 1"},
        "batch_size": 50,
    }
    (office.folder / "config" / "schedule.yaml").write_text(yaml.safe_dump({"entries": {"nightly": entry}}))
    [known] = load_config(office.folder / "config", {}).schedule.entries.values()
    before = EntryFiring(latest_due(known, now) - timedelta(hours=1), FiringOutcome.SEEN, rule=rule_of(known))
    office.client.set(LEADER_KEY, "the test")
    assert FiringLog(office.client).note("nightly", before, "the test")
    office.client.delete(LEADER_KEY)


def test_a_killed_schedulers_run_becomes_whole_once(
    tmp_path: Path, redis_server: str, redis_client: redis.Redis
) -> None:
    """Also when it was taken for broken off meanwhile, and the product at which it ended is no longer there."""
    office = Office(tmp_path, redis_server, redis_client)
    due_now(office)
    database = ResultStore(f"sqlite:///{tmp_path / 'data' / 'pagemill.db'}")
    with database as store:
        with office.running("first", "scheduler") as first:
            eventually(lambda: store.runs() and queued(redis_client), 60, "a batch")
            first.kill()
            first.wait()
        [begun] = store.runs()
        assert begun.state is RunState.QUEUEING, "it was not killed in the middle"
        looker = DeadEnqueuers(store)
        for _ in range(LOOKS + 1):
            looker.look()
        broken = store.run(begun.run)
        assert broken.broken_at is not None
        last = [product[0] for job in open_queue(redis_client, "shop").get_jobs() for product in job.args[3]][-1]
        write_catalogue(tmp_path, last)
        with office.running("second", "scheduler") as second:
            eventually(lambda: store.progress(begun.run).sealed, 90, "the rest of the run")
            second.terminate()
            assert second.wait(30) == 0
        [whole] = store.runs()
    assert (whole.run, whole.products, whole.broken_at) == (begun.run, ROWS // WANTED, None)
    products = queued(redis_client)[begun.run]
    assert products.keys() == {f"p{number}" for number in range(1, ROWS, WANTED)}
    assert set(products.values()) == {1}
    assert [line["resumes"] for line in office.events("second", events.SCHEDULE_FIRED)] == [True]
