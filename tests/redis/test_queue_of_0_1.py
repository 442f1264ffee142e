"""A database and a queue that 0.1 has left behind: its results are read, and its batches worked off."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from pagemill.engine.runner import BatchOutcome
from pagemill.fleet.queues import queue_states
from pagemill.intake.batch_job import from_arguments, open_queue, open_queues
from pagemill.model import Batch, Product, Verdict
from pagemill.results.store import ResultStore
from pagemill.worker import installed_engine
from pagemill.worker.worker import BatchWorker
from tests.redis.test_batch_worker import SETTINGS, ToldEngine

pytestmark = [pytest.mark.redis, pytest.mark.timeout(60, method="thread")]

MADE = Path(__file__).parents[1] / "made_by_0_1"
DONE_RUN = "20261129-101310-demo-jsonld-9ceb"
QUEUED_RUN = "20261129-102342-demo-jsonld-602c"
SHOP = "http://127.0.0.1:8917/jsonld/p"
BATCHES = [
    Batch(
        QUEUED_RUN,
        "b00001",
        "demo-jsonld",
        (
            Product("g.ok", f"{SHOP}/g.ok", {"price": 1}),
            Product("h.sold-out", f"{SHOP}/h.sold-out", {"in_stock": True}),
        ),
    ),
    Batch(QUEUED_RUN, "b00002", "demo-jsonld", (Product("i.gone-410", f"{SHOP}/i.gone-410"),)),
]
"""What 0.1 was asked to visit."""


@pytest.fixture
def old_queue(redis_client: Redis) -> Redis:
    """A Redis with the keys that 0.1 wrote when it queued a run."""
    for key, dumped in json.loads((MADE / "queue.json").read_text(encoding="utf-8")).items():
        redis_client.restore(key, 0, base64.b64decode(dumped))
    return redis_client


@pytest.fixture
def old_database(tmp_path: Path) -> str:
    """The URL of the database that 0.1 wrote: a run that is done, and one that is queued."""
    path = tmp_path / "pagemill.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((MADE / "results.sql").read_text(encoding="utf-8"))
    return f"sqlite:///{path}"


def test_batches_that_0_1_queued_say_the_same(old_queue: Redis) -> None:
    """A job's arguments, and its queue, are as they were."""
    (state,) = queue_states(old_queue, ["demo-jsonld"])
    assert state.waiting == len(BATCHES)
    assert [from_arguments(*job.args) for job in open_queue(old_queue, "demo-jsonld").jobs] == BATCHES


def test_batches_that_0_1_queued_are_worked_off(old_queue: Redis) -> None:
    """Each once, by a worker of today."""
    taken: list[tuple[str, tuple[Product, ...]]] = []

    def note(batch: Batch) -> BatchOutcome:
        taken.append((batch.id, batch.products))
        return BatchOutcome(done=len(batch.products), resumed=0, remaining=0)

    engine = ToldEngine()
    engine.script = {batch.id: [note] for batch in BATCHES}
    installed_engine.install(engine)
    try:
        queues = open_queues(old_queue, "demo-jsonld")
        BatchWorker(queues, "w1", old_queue, old_queue, engine, SETTINGS).work(burst=True)
    finally:
        installed_engine.install(None)
    assert taken == [(batch.id, batch.products) for batch in BATCHES]
    assert not any(len(queue) for queue in open_queues(old_queue, "demo-jsonld"))


def test_results_that_0_1_stored_are_read(old_database: str) -> None:
    """All verdicts of its run, with facts and differences; what 0.1 did not keep is empty."""
    with ResultStore(old_database) as store:
        results = {result.product_id: result for result in store.read(DONE_RUN)}
        queued, done = store.runs()
    assert {product: result.verdict for product, result in results.items()} == {
        "a.ok": Verdict.OK,
        "b.ok": Verdict.CHANGED,
        "c.sold-out": Verdict.SOLD_OUT,
        "d.gone-404": Verdict.GONE,
        "e.blocked-403": Verdict.BLOCKED,
        "f.ok": Verdict.FAILED,
    }
    assert [difference.field for difference in results["b.ok"].differences] == ["name", "price"]
    assert results["a.ok"].facts["price"] == 9800
    assert (results["a.ok"].final_url, dict(results["a.ok"].expected)) == ("", {})
    assert (done.run, done.products, done.done) == (DONE_RUN, 6, 6)
    assert (queued.run, queued.products, queued.done) == (QUEUED_RUN, 3, 0)
