"""The queue's Redis may be emptied at any moment, and jobs may be deleted: what was asked for comes back, once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.intake.batch_job import open_queue
from pagemill.intake.enqueue import enqueue_run
from pagemill.intake.job_timeout import CEILING_S
from pagemill.intake.lost_batches import LostBatches
from pagemill.intake.queued_batches import job_ids_of
from pagemill.model import Product
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore
from pagemill.telemetry import events

pytestmark = pytest.mark.redis

SHOP = Platform.model_validate({"platform": "shop", "hosts": ["shop.test"], "extract": {"fields": {"name": "h1"}}})
SETTINGS = QueueSettings()


class Place:
    """A queue, a database, and processes that look after them."""

    def __init__(self, client: Redis, store: ResultStore) -> None:
        self.client = client
        self.store = store
        self.asked = AskedBatches(store)
        self.now_s = 100.0

    def enqueue(self, count: int = 5) -> str:
        """A run of so many products, two in a batch."""
        return enqueue_run(
            (Product(f"p{number}", f"https://shop.test/{number}", {"name": "컵"}) for number in range(count)),
            SHOP,
            source="x.csv",
            batch_size=2,
            settings=SETTINGS,
            redis=self.client,
            store=self.store,
        ).run

    def process(self, name: str = "w1", **platforms: Platform) -> LostBatches:
        """One that looks; its clock is the test's."""
        known = platforms or {"shop": SHOP}
        return LostBatches(self.asked, self.client, lambda: known, SETTINGS, name, lambda: self.now_s)

    def queued(self) -> list[str]:
        """The batches on the queue, in its order."""
        return [job.rpartition("_")[2] for job in open_queue(self.client, "shop").job_ids]


@pytest.fixture
def place(redis_client: Redis, tmp_path: Path) -> Iterator[Place]:
    """An empty one."""
    with ResultStore(f"sqlite:///{tmp_path}/r.db") as store:
        yield Place(redis_client, store)


def look_twice(place: Place, process: LostBatches, pause_s: float = 20) -> int:
    """As it does by itself, with a pause between."""
    first = process.look()
    place.now_s += pause_s
    return first + process.look()


def test_an_emptied_queue_gets_everything_back(place: Place) -> None:
    """As it was, products and settings; it is told, and not before it is sure."""
    run = place.enqueue()
    jobs = {job.id: (job.args, job.timeout, job.retries_left) for job in open_queue(place.client, "shop").get_jobs()}
    place.client.flushall()
    process = place.process()
    with capture_logs() as lines:
        assert process.look() == 0
        place.now_s += 10
        assert process.look() == 0
        assert place.queued() == []
        place.now_s += 10
        assert process.look() == 3
        assert process.look() == 0
    assert sorted(place.queued()) == ["b00001", "b00002", "b00003"]
    again = {job.id: (job.args, job.timeout, job.retries_left) for job in open_queue(place.client, "shop").get_jobs()}
    assert again == jobs
    told = [line for line in lines if line["event"] == events.BATCHES_PUT_BACK]
    assert [(line["run"], line["batches"]) for line in told] == [(run, 3)]


@pytest.mark.parametrize("how", ["job", "entry", "both"])
def test_a_batch_that_somebody_deleted_comes_back(place: Place, how: str) -> None:
    """Alone: the others are where they were."""
    run = place.enqueue()
    queue = open_queue(place.client, "shop")
    if how != "entry":
        place.client.delete(f"rq:job:{run}_b00002")
    if how != "job":
        place.client.lrem(queue.key, 1, f"{run}_b00002")
    assert look_twice(place, place.process()) == (how != "job")
    # A job without its hash is passed over by whoever takes it: then it is nowhere.
    assert place.queued().count("b00002") == 1


def test_what_is_waiting_taken_or_at_work_is_left_alone(place: Place) -> None:
    """Also what was done, whose database row has gone."""
    run = place.enqueue(7)
    queue = open_queue(place.client, "shop")
    place.client.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")
    taken = place.client.lpop(queue.key)
    assert isinstance(taken, bytes)
    place.client.zadd(queue.started_job_registry.key, {f"{taken.decode()}:execution": 1e12})
    place.client.lpop(queue.key)
    place.asked.done(run, "b00003")
    assert look_twice(place, place.process()) == 0
    assert place.queued() == ["b00004"]


def test_two_that_look_put_nothing_back_twice(place: Place) -> None:
    """The lead itself was lost with the rest, so both may have it."""
    place.enqueue()
    place.client.flushall()
    first, second = place.process("w1"), place.process("w2")
    first.look()
    place.client.delete("pagemill:lost-batches")
    second.look()
    place.now_s += 20
    place.client.delete("pagemill:lost-batches")
    assert first.look() == 3
    place.client.delete("pagemill:lost-batches")
    second.look()
    assert sorted(place.queued()) == ["b00001", "b00002", "b00003"]


def test_one_leads_and_another_takes_over(place: Place) -> None:
    """It begins anew: what the first one has missed it has not."""
    place.enqueue()
    place.client.flushall()
    first, second = place.process("w1"), place.process("w2")
    assert first.look() == 0
    assert look_twice(place, second) == 0
    place.client.delete("pagemill:lost-batches")
    assert look_twice(place, second) == 3


def test_a_platform_that_is_not_configured_here_gets_its_batches_back(place: Place) -> None:
    """Others may serve it; how long a batch of it may take is not known, so it is the longest."""
    place.enqueue()
    place.client.flushall()
    assert look_twice(place, place.process(other=SHOP)) == 3
    assert {job.timeout for job in open_queue(place.client, "shop").get_jobs()} == {CEILING_S}


@pytest.mark.parametrize("how", ["job", "state", "everything"])
def test_of_a_long_queue_what_has_no_job_comes_back(place: Place, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read whole."""
    run = place.enqueue(21)
    monkeypatch.setattr("pagemill.intake.queued_batches.SHORT", 2)
    reads: list[str] = []

    def read(client: Redis, platform: str) -> frozenset[str]:
        reads.append(platform)
        return job_ids_of(client, platform)

    monkeypatch.setattr("pagemill.intake.queued_batches.job_ids_of", read)
    if how == "job":
        place.client.delete(f"rq:job:{run}_b00002")
    elif how == "state":
        place.client.hset(f"rq:job:{run}_b00002", "status", "canceled")
    else:
        place.client.flushall()
    back = look_twice(place, place.process())
    assert back == (11 if how == "everything" else 1)
    assert bool(reads) == (how == "everything")
    assert place.queued().count("b00002") == (1 if how == "everything" else 2)  # where there is no job, nothing is done


def test_a_look_walks_over_a_part_and_the_next_one_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look ends in time, and what it keeps in mind is bounded; in the end everything is back."""
    place.enqueue(100)
    place.client.flushall()
    monkeypatch.setattr("pagemill.intake.lost_batches._PAGE", 3)
    monkeypatch.setattr("pagemill.intake.lost_batches._MOST", 7)
    process = place.process()
    counts = []
    for _ in range(12):
        counts.append(process.look())
        place.now_s += 20
    assert counts[0] == 0
    assert max(counts) == 9
    assert sum(counts) == 50
    assert len(set(place.queued())) == len(place.queued()) == 50


def test_a_walk_that_takes_long_goes_on_at_the_next_look(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch is missing, at the end of what is outstanding."""
    run = place.enqueue(20)
    place.client.lrem(open_queue(place.client, "shop").key, 1, f"{run}_b00010")
    monkeypatch.setattr("pagemill.intake.lost_batches._PAGE", 4)
    monkeypatch.setattr("pagemill.intake.lost_batches._WALK_S", 1e-9)
    clock = itertools.count(100.0, 5.0)
    process = LostBatches(place.asked, place.client, lambda: {"shop": SHOP}, SETTINGS, "w1", lambda: next(clock))
    looks = 0
    while not process.look():
        looks += 1
        assert looks < 10
    assert place.queued().count("b00010") == 1
    assert looks >= 3


def test_a_process_that_ends_lets_another_one_look_at_once(place: Place) -> None:
    """Whoever does not lead takes nothing away."""
    first, second = place.process("w1"), place.process("w2")
    first.look()
    second.look()
    assert (first.leads, second.leads) == (True, False)
    second.close()
    second.look()
    assert not second.leads
    first.close()
    second.look()
    assert second.leads


def test_a_queue_that_is_emptied_again_and_again_is_filled_again_and_again(place: Place) -> None:
    """Until its batches are done."""
    run = place.enqueue()
    process = place.process()
    for _ in range(3):
        place.client.flushall()
        assert look_twice(place, process) == 3
    for batch in ("b00001", "b00002", "b00003"):
        place.asked.done(run, batch)
    place.client.flushall()
    assert look_twice(place, process) == 0
    assert place.client.exists(f"rq:job:{run}_b00001") == 0
