"""Schedulers on a real Redis and a real database: each due time fires once, whatever becomes of who fires it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import ConnectionError, Redis
from structlog.testing import capture_logs

from pagemill.config.loading import load_config
from pagemill.config.settings import Config
from pagemill.errors import DatabaseUnavailable, RedisUnavailable
from pagemill.intake import begin_run, enqueue, scheduler
from pagemill.intake.batch_job import open_queue, open_queues, queue_name
from pagemill.intake.cancel import cancel_run
from pagemill.intake.schedule_firing import EntryFiring, FiringOutcome
from pagemill.intake.schedule_firing_log import LEADER_KEY, FiringLog
from pagemill.intake.scheduler import Scheduler
from pagemill.model import ItemResult, Priority, Product, Verdict
from pagemill.results.notice_outbox import NoticeOutbox
from pagemill.results.runs import Telling
from pagemill.results.store import ResultStore
from pagemill.telemetry import events

pytestmark = pytest.mark.redis

THREE = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PRODUCTS = 25


class Clock:
    """A moment that moves when it is told to."""

    def __init__(self) -> None:
        self.now = THREE - timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now


class Office:
    """A folder with configuration and a catalogue, a database, and any number of schedulers."""

    def __init__(self, folder: Path, client: Redis) -> None:
        self.folder = folder
        self.client = client
        self.clock = Clock()
        (folder / "config" / "platforms").mkdir(parents=True)
        platform = {
            "platform": "shop",
            "hosts": ["shop.test"],
            "extract": {"fields": {"name": "h1", "price": ".price"}},
        }
        (folder / "config" / "platforms" / "shop.yaml").write_text(yaml.safe_dump(platform))
        self.catalogue = folder / "catalogue.csv"
        self.stock(range(PRODUCTS))
        self.schedule()
        self.store = ResultStore(f"sqlite:///{folder / 'results.db'}")
        self.store.open()

    def stock(self, numbers: Any) -> None:
        """Writes the catalogue."""
        rows = [f"p{number:03d},https://shop.test/{number},name {number % 2}" for number in numbers]
        self.catalogue.write_text("\n".join(["id,url,name", *rows]) + "\n")

    def schedule(self, **changes: Any) -> None:
        """Writes the schedule: one entry, at three o'clock."""
        entry = {
            "cron": "0 3 * * *",
            "platform": "shop",
            "catalog": str(self.catalogue),
            "batch_size": 10,
            **changes,
        }
        (self.folder / "config" / "schedule.yaml").write_text(yaml.safe_dump({"entries": {"nightly": entry}}))

    def load(self) -> Config:
        """Reads it."""
        return load_config(self.folder / "config", {})

    def scheduler(self, name: str = "s1") -> Scheduler:
        """One of the schedulers."""
        return Scheduler(self.client, self.store, self.load, name, self.clock)

    def last(self) -> EntryFiring:
        """What was noted last."""
        firing = FiringLog(self.client).last("nightly")
        assert firing is not None
        return firing

    def queued(self) -> list[str]:
        """Products on the queue, batch by batch."""
        queue = open_queue(self.client, "shop")
        return [product[0] for job in queue.jobs for product in job.args[3]]

    def finish(self, run: str) -> None:
        """Gives every product of a run its result, and takes its batches off the queue."""
        products = self.queued()
        open_queue(self.client, "shop").empty()  # type: ignore[no-untyped-call]
        moment = datetime.now(UTC)
        self.store.write(
            [
                ItemResult(run, "b1", product, "u", "shop", Verdict.OK, "", (), {}, 1, moment, moment, "w")
                for product in products
            ]
        )


@pytest.fixture
def office(tmp_path: Path, redis_client: Redis) -> Iterator[Office]:
    """With an entry that has been seen: its next time fires."""
    office = Office(tmp_path, redis_client)
    office.scheduler().tick()
    assert (office.last().due, office.last().outcome) == (THREE - DAY, FiringOutcome.SEEN)
    redis_client.delete(LEADER_KEY)
    yield office
    office.store.close()


EVERYTHING = [f"p{number:03d}" for number in range(PRODUCTS)]


def test_a_run_knows_how_its_entry_wants_it_told(office: Office) -> None:
    """As the entry says then, whatever becomes of it until the run's end."""
    office.schedule(time_zone="Asia/Seoul", cron="0 12 * * *", notify={"quiet": True, "channels": ["live"]})
    active = office.scheduler()
    active.tick()
    office.clock.now = THREE
    active.tick()
    (run,) = NoticeOutbox(office.store).runs(10)
    assert run.telling == Telling("nightly", "Asia/Seoul", {"quiet": True, "channels": ["live"]})


def test_a_due_time_puts_the_catalogue_on_the_queue_once(office: Office) -> None:
    """Not before, and not again afterwards."""
    active = office.scheduler()
    active.tick()
    assert office.queued() == []
    office.clock.now = THREE
    for _ in range(3):
        active.tick()
        office.clock.now += timedelta(seconds=1)
    assert office.queued() == EVERYTHING
    firing = office.last()
    assert (firing.due, firing.outcome, firing.detail) == (THREE, FiringOutcome.QUEUED, "25 products")
    assert firing.run.startswith("20261121-030000-shop-")
    progress = office.store.progress(firing.run)
    assert (progress.sealed, progress.products) == (True, PRODUCTS)


def test_a_filter_chooses_products(office: Office) -> None:
    """By what they are expected to be."""
    office.schedule(filter={"name": ["name 1", "name 7"]})
    active = office.scheduler()
    office.clock.now = THREE
    active.tick()
    assert office.queued() == EVERYTHING[1::2]


@pytest.mark.parametrize(("overlap", "outcome"), [("skip", FiringOutcome.SKIPPED), ("queue", FiringOutcome.WAITING)])
def test_a_time_that_comes_while_the_last_run_goes_on(office: Office, overlap: str, outcome: FiringOutcome) -> None:
    """It is left out, or waits until the run has ended, whichever the entry says."""
    office.schedule(overlap=overlap)
    active = office.scheduler()
    office.clock.now = THREE
    active.tick()
    first = office.last().run
    office.clock.now = THREE + DAY
    with capture_logs() as lines:
        active.tick()
        active.tick()
    assert [line["outcome"] for line in lines if line["event"] == events.SCHEDULE_SKIPPED] == [outcome.value]
    assert (office.last().due, office.last().outcome, office.last().run) == (THREE + DAY, outcome, first)
    assert len(office.queued()) == PRODUCTS
    office.finish(first)
    active.tick()
    if overlap == "skip":
        assert office.queued() == []
    else:
        assert office.queued() == EVERYTHING
        assert office.last().run != first


@pytest.mark.parametrize("priority", list(Priority))
def test_an_entrys_runs_have_its_priority(office: Office, priority: Priority) -> None:
    """And go on as long as a batch is not done, wherever it waits."""
    office.schedule(priority=priority.value)
    active = office.scheduler()
    office.clock.now = THREE
    active.tick()
    queues = open_queues(office.client, "shop")
    assert [queue.name for queue in queues if queue.count] == [queue_name("shop", priority)]
    office.clock.now = THREE + DAY
    active.tick()
    assert office.last().outcome is FiringOutcome.SKIPPED


def test_an_entrys_file_may_be_of_any_form(office: Office) -> None:
    """What the command is told, the entry says."""
    office.catalogue.write_bytes("id;url;name\np1;https://shop.test/1;컵\n".encode("cp949"))
    office.schedule(encoding="cp949", decimal=",")
    active = office.scheduler()
    office.clock.now = THREE
    active.tick()
    [job] = open_queue(office.client, "shop").jobs
    assert job.args[3] == [["p1", "https://shop.test/1", {"name": "컵"}]]


def test_of_two_schedulers_one_fires(office: Office) -> None:
    """Both look at the same moment, many times."""
    both = [office.scheduler("s1"), office.scheduler("s2")]
    office.clock.now = THREE
    with ThreadPoolExecutor(2) as threads, capture_logs() as lines:
        for _ in range(10):
            list(threads.map(lambda one: one.tick(), both))
    assert office.queued() == EVERYTHING
    assert [line["event"] for line in lines].count(events.SCHEDULE_FIRED) == 1


def test_another_takes_over_when_the_active_one_dies(office: Office) -> None:
    """When its time has run out, or at once when it stops well."""
    dead, other = office.scheduler("s1"), office.scheduler("s2")
    dead.tick()
    office.clock.now = THREE
    other.tick()
    assert office.queued() == []
    assert 10_000 < office.client.pttl(LEADER_KEY) <= 15_000
    office.client.delete(LEADER_KEY)
    other.tick()
    assert office.queued() == EVERYTHING

    third = office.scheduler("s3")
    running = threading.Thread(target=other.run)
    running.start()
    other.stop()
    running.join(5)
    third.tick()
    assert FiringLog(office.client).leader() == "s3"


def fire_and_die(office: Office, monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    """A scheduler fires, and is killed after so many groups of batches, or between the last one and the note."""
    put = enqueue.put
    done: list[int] = []

    class Killed(BaseException):
        pass

    def put_or_die(*arguments: Any) -> None:
        if len(done) == batches:
            raise Killed
        put(*arguments)
        done.append(1)

    office.clock.now = THREE
    with monkeypatch.context() as patch:
        patch.setattr(enqueue, "put", put_or_die)
        patch.setattr(ResultStore, "seal_run", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            office.scheduler("s1").tick()


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_one_that_dies_while_it_fires_is_replaced_by_one_that_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """After any number of batches, and between the last one and the note: each product once, in one run."""
    monkeypatch.setattr(enqueue, "_PRODUCTS_PER_PIPELINE", 10)
    fire_and_die(office, monkeypatch, batches)
    assert len(office.queued()) == min(10 * batches, PRODUCTS)
    run = office.last().run
    office.client.delete(LEADER_KEY)
    with capture_logs() as lines:
        office.scheduler("s2").tick()
    assert office.queued() == EVERYTHING
    firing = office.last()
    assert (firing.due, firing.outcome, firing.run, firing.detail) == (THREE, FiringOutcome.QUEUED, run, "25 products")
    assert office.store.progress(run).products == PRODUCTS
    (fired,) = [line for line in lines if line["event"] == events.SCHEDULE_FIRED]
    assert fired["resumes"] is True


@pytest.mark.parametrize("who", ["the same one", "another one"])
def test_a_run_that_was_begun_goes_on_though_redis_was_emptied(
    office: Office, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    """Nobody but the database knows of it then: it becomes whole, and the time is not fired again."""
    monkeypatch.setattr(enqueue, "_PRODUCTS_PER_PIPELINE", 10)
    office.clock.now = THREE
    active = office.scheduler("s1")
    renew = active._lead.renew

    def go_away() -> None:
        active._lead.renew = renew  # type: ignore[method-assign]
        raise RedisUnavailable("away")

    active._lead.renew = go_away  # type: ignore[method-assign]
    with pytest.raises(RedisUnavailable):
        active.tick()
    run = office.last().run
    office.client.flushall()
    following = active if who == "the same one" else office.scheduler("s2")
    for _ in range(2):
        following.tick()
    assert [each.run for each in office.store.runs()] == [run]
    assert office.queued() == EVERYTHING
    progress = office.store.progress(run)
    assert (progress.sealed, progress.products) == (True, PRODUCTS)


def test_a_time_that_is_due_just_after_redis_was_emptied_fires(office: Office) -> None:
    """Whoever leads knows what it has noted; a time that it has fired it does not fire again."""
    active = office.scheduler()
    office.clock.now = THREE
    active.tick()
    office.finish(office.last().run)
    office.client.flushall()
    active.tick()
    assert office.queued() == []
    office.client.flushall()
    office.clock.now = THREE + DAY
    active.tick()
    assert office.queued() == EVERYTHING
    assert len(office.store.runs()) == 2


def test_a_run_whose_batches_the_queue_has_lost_goes_on(office: Office) -> None:
    """They come back: the next time does not fire beside it."""
    active = office.scheduler()
    office.clock.now = THREE
    active.tick()
    office.client.delete(open_queue(office.client, "shop").key)
    office.clock.now = THREE + DAY
    active.tick()
    assert office.last().outcome is FiringOutcome.SKIPPED


def test_a_catalogue_that_changed_in_between_loses_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product at which the first one ended is gone, and others stand elsewhere: each is queued and counted once."""
    monkeypatch.setattr(enqueue, "_PRODUCTS_PER_PIPELINE", 10)
    office.clock.now = THREE
    active = office.scheduler("s1")
    with monkeypatch.context() as patch:
        patch.setattr(active._lead, "renew", active.stop)
        with pytest.raises(scheduler._Stopped):
            active.tick()
    assert office.queued() == EVERYTHING[:10]
    office.stock([number for number in reversed(range(PRODUCTS)) if number != 9])
    office.client.delete(LEADER_KEY)
    office.scheduler("s2").tick()
    assert sorted(office.queued()) == EVERYTHING
    run = office.last().run
    assert office.store.progress(run).products == PRODUCTS
    office.finish(run)
    assert office.store.progress(run).finished


def test_a_run_that_was_cancelled_is_not_gone_on_with(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cancels what a dead scheduler has left means all of it."""
    monkeypatch.setattr(enqueue, "_PRODUCTS_PER_PIPELINE", 10)
    office.clock.now = THREE
    active = office.scheduler("s1")
    with monkeypatch.context() as patch:
        patch.setattr(active._lead, "renew", active.stop)
        with pytest.raises(scheduler._Stopped):
            active.tick()
    cancel_run(office.last().run, office.client, office.store)
    office.client.delete(LEADER_KEY)
    office.scheduler("s2").tick()
    assert office.queued() == []
    office.clock.now = THREE + DAY
    office.scheduler("s2").tick()
    assert office.queued() == EVERYTHING


def test_one_that_slept_through_its_lead_changes_nothing(office: Office) -> None:
    """Paused in the middle of a firing, it finds another one leading when it wakes up."""
    office.clock.now = THREE
    sleeper, other = office.scheduler("s1"), office.scheduler("s2")

    def sleep_through() -> None:
        office.client.delete(LEADER_KEY)
        other.tick()

    sleeper._lead.renew = sleep_through  # type: ignore[method-assign]
    with pytest.raises(Exception, match="another"):
        sleeper.tick()
    assert office.queued() == EVERYTHING
    assert office.last().outcome is FiringOutcome.QUEUED


def test_the_schedule_is_read_again_when_it_changes(office: Office) -> None:
    """One with a mistake is refused, and the one before stays in force."""
    active = office.scheduler()
    active.tick()
    with capture_logs() as lines:
        office.schedule(cron="30 3 * * *")
        active.tick()
        (office.folder / "config" / "schedule.yaml").write_text("entries: {nightly: {cron: daily}}")
        active.tick()
    assert [line["event"] for line in lines] == [events.SCHEDULE_RELOADED, events.SCHEDULE_REJECTED]
    office.clock.now = THREE + timedelta(minutes=29)
    active.tick()
    assert office.queued() == []
    office.clock.now = THREE + timedelta(minutes=30)
    active.tick()
    assert office.queued() == EVERYTHING


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("id,url\n")])
def test_a_catalogue_that_is_of_no_use_fails_that_time_only(office: Office, spoil: Callable[[Path], object]) -> None:
    """It is told, and the next time is tried again."""
    active = office.scheduler()
    spoil(office.catalogue)
    office.clock.now = THREE
    with capture_logs() as lines:
        active.tick()
        active.tick()
    assert [line["event"] for line in lines].count(events.SCHEDULE_FAILED) == 1
    assert office.last().outcome is FiringOutcome.FAILED
    office.stock(range(3))
    office.clock.now += DAY
    active.tick()
    assert len(office.queued()) == 3


def test_bad_rows_are_told_and_counted(office: Office) -> None:
    """The first few of them; the run says how many there were."""
    with office.catalogue.open("a") as out:
        out.write("".join(f"bad{number},nowhere,\n" for number in range(9)))
    office.clock.now = THREE
    with capture_logs() as lines:
        office.scheduler().tick()
    assert [line["event"] for line in lines].count(events.BAD_ROW) == 5
    assert office.store.runs(1)[0].skipped == 9


def test_a_database_that_is_away_is_waited_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The firing is not lost: it goes on when the database is back."""
    monkeypatch.setattr(scheduler, "_TICK_S", 0.02)
    away = [DatabaseUnavailable("locked")] * 3
    create_run = ResultStore.create_run

    def create_or_fail(store: ResultStore, *arguments: Any, **options: Any) -> None:
        if away:
            raise away.pop()
        create_run(store, *arguments, **options)

    monkeypatch.setattr(ResultStore, "create_run", create_or_fail)
    office.clock.now = THREE
    active = office.scheduler()
    running = threading.Thread(target=active.run)
    with capture_logs() as lines:
        running.start()
        deadline_s = time.monotonic() + 10
        while office.last().outcome is not FiringOutcome.QUEUED:
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        active.stop()
        running.join(5)
    assert [line["event"] for line in lines].count(events.SCHEDULER_WAITS) == 3
    assert office.queued() == EVERYTHING


def test_one_that_stops_while_it_fires_lets_another_go_on_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives the lead back with what it has begun: nobody waits until its time has run out."""
    monkeypatch.setattr(enqueue, "_PRODUCTS_PER_PIPELINE", 10)
    office.clock.now = THREE
    active = office.scheduler("s1")
    with monkeypatch.context() as patch:
        patch.setattr(active._lead, "renew", active.stop)
        active.run()
    assert office.last().outcome is FiringOutcome.QUEUEING
    assert 0 < len(office.queued()) < PRODUCTS
    office.scheduler("s2").tick()
    assert office.queued() == EVERYTHING
    assert office.last().outcome is FiringOutcome.QUEUED


def test_one_stops_also_where_no_product_is_wanted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of which the filter takes nothing has no batch at whose end it could stop."""
    read: list[str] = []
    active = office.scheduler("s1")

    def endless(*_arguments: Any, **_options: Any) -> Iterator[Any]:
        number = 0
        while True:
            number += 1
            read.append(f"p{number}")
            if number == 3:
                active.stop()
            if number == 1000:
                return
            yield Product(f"p{number}", f"https://shop.test/{number}", {"name": "another"})

    office.schedule(filter={"name": "name 1"})
    monkeypatch.setattr(begin_run, "read_catalog", endless)
    office.clock.now = THREE
    active.run()
    assert read == ["p1", "p2", "p3"]
    assert office.last().outcome is FiringOutcome.QUEUEING
    assert FiringLog(office.client).leader() == ""


def test_the_lead_is_kept_through_a_long_stretch_without_a_batch(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are passed over, or lie before the place at which a run goes on, renew it too, and are progress."""
    beats: list[int] = []
    active = Scheduler(office.client, office.store, office.load, "s1", office.clock, lambda: beats.append(1))
    left_ms: list[int] = []

    def nothing_wanted(*_arguments: Any, **_options: Any) -> Iterator[Product]:
        for number in range(3):
            office.client.pexpire(LEADER_KEY, 5000)
            yield Product(f"p{number}", f"https://shop.test/{number}", {"name": "another"})
            left_ms.append(office.client.pttl(LEADER_KEY))

    monkeypatch.setattr(scheduler, "_RENEW_S", 0.0)
    monkeypatch.setattr(begin_run, "read_catalog", nothing_wanted)
    office.schedule(filter={"name": "name 1"})
    office.clock.now = THREE
    active.tick()
    assert min(left_ms) > 10_000
    assert len(beats) == 3


def test_a_redis_that_is_away_at_the_end_is_no_mistake(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lead runs out by itself."""
    active = office.scheduler("s1")
    active.tick()
    active.stop()
    monkeypatch.setattr(active._lead, "release", lambda: (_ for _ in ()).throw(ConnectionError("away")))
    active.run()
