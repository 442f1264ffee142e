"""Schedulers in processes of their own that are restarted in the middle of firings: each due time fires once."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
import yaml

from pagemill.config.loading import load_config
from pagemill.fleet import process_orders
from pagemill.fleet.actions import RESTART
from pagemill.fleet.orders import give
from pagemill.fleet.processes import ProcessSnapshot, read_processes
from pagemill.intake.batch_job import open_queue
from pagemill.intake.schedule_firing import EntryFiring, FiringOutcome, latest_due, rule_of
from pagemill.intake.schedule_firing_log import LEADER_KEY, FiringLog
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.redis.commands import Office, eventually

pytestmark = [pytest.mark.redis, pytest.mark.timeout(300)]

ENTRIES = 4
ROWS = 90_000
WANTED = 3
"""Every third row is wanted: it takes seconds to read them all, and many batches."""
RESTARTS = 4


class Offices(Office):
    """A folder whose schedule has entries that are all due at once."""

    def prepare(self) -> dict[str, datetime]:
        """Writes catalogue and schedule, and notes each entry's time before; the times that are due now."""
        rows = (f"p{number},https://shop.test/{number},name {number % WANTED}\n" for number in range(ROWS))
        with (self.folder / "catalogue.csv").open("w") as out:
            out.write("id,url,name\n")
            out.writelines(rows)
        now = datetime.now(UTC)
        entries = {
            f"entry-{number}": {
                # At a minute that is over; the next time is in most of an hour.
                "cron": f"{(now - timedelta(minutes=5 + number)).minute} * * * *",
                "platform": "shop",
                "catalog": "catalogue.csv",
                "filter": {"name": "name 1"},
                "batch_size": 50,
            }
            for number in range(ENTRIES)
        }
        (self.folder / "config" / "schedule.yaml").write_text(yaml.safe_dump({"entries": entries}))
        schedule = load_config(self.folder / "config", {}).schedule
        due = {name: latest_due(entry, now) for name, entry in schedule.entries.items()}
        log = FiringLog(self.client)
        self.client.set(LEADER_KEY, "the test")
        for name, entry in schedule.entries.items():
            before = EntryFiring(due[name] - timedelta(hours=1), FiringOutcome.SEEN, rule=rule_of(entry))
            assert log.note(name, before, "the test")
        self.client.delete(LEADER_KEY)
        return due

    def outcomes(self) -> dict[str, EntryFiring]:
        """What was noted last of each entry."""
        log = FiringLog(self.client)
        found = {f"entry-{number}": log.last(f"entry-{number}") for number in range(ENTRIES)}
        return {name: firing for name, firing in found.items() if firing is not None}

    def leader(self) -> ProcessSnapshot | None:
        """Who fires, as it says itself."""
        return next((process for process in read_processes(self.client) if process.leads), None)


def test_restarts_in_the_middle_of_firings_miss_and_double_nothing(
    tmp_path: Path, redis_server: str, redis_client: redis.Redis
) -> None:
    """Whoever fires is told to start afresh, again and again: another one goes on at once, under the same run."""
    office = Offices(tmp_path, redis_server, redis_client)
    due = office.prepare()
    with ExitStack() as stack:
        names = ("s1", "s2", "s3")
        processes = {name: stack.enter_context(office.running(name, "scheduler")) for name in names}
        by_pid = {process.pid: process for process in processes.values()}
        for process in processes.values():
            office.reported(process)
        restarts = 0
        while restarts < RESTARTS:
            eventually(lambda: office.leader() is not None, 60, "somebody who leads")
            leader = office.leader()
            if leader is None:
                continue
            answer = give(redis_client, [leader.name], RESTART, 20, process_orders.leave, reason="a test")[0]
            assert answer.done or not answer.heard
            if answer.done:
                restarts += 1
                office.reported(by_pid[leader.pid], leader.name)

        def is_over() -> bool:
            return all(firing.outcome is FiringOutcome.QUEUED for firing in office.outcomes().values())

        eventually(is_over, 120, "the end of all firings")
        for process in processes.values():
            process.terminate()
        assert [process.wait(30) for process in processes.values()] == [0, 0, 0]

    firings = office.outcomes()
    assert {name: firing.due for name, firing in firings.items()} == due
    with ResultStore(f"sqlite:///{tmp_path / 'data' / 'pagemill.db'}") as store:
        runs = store.runs(100)
    assert sorted(run.run for run in runs) == sorted(firing.run for firing in firings.values())
    assert {run.products for run in runs} == {ROWS // WANTED}
    wanted = {f"p{number}" for number in range(1, ROWS, WANTED)}
    queued: dict[str, Counter[str]] = {firing.run: Counter() for firing in firings.values()}
    for job in open_queue(redis_client, "shop").get_jobs():
        queued[job.args[0]].update(product[0] for product in job.args[3])
    for run, products in queued.items():
        assert products.keys() == wanted, run
        assert set(products.values()) == {1}, run
    fired = [line for name in names for line in office.events(name, events.SCHEDULE_FIRED)]
    begun = Counter(line["entry"] for line in fired if not line["resumes"])
    assert set(begun.values()) == {1}
    assert any(line["resumes"] for line in fired), "no restart came in the middle of a firing"
    assert all("Traceback" not in office.log(name).read_text() for name in names)
