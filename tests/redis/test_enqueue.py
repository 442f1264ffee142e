"""Products onto real queues."""

from __future__ import annotations

import json
import re
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import redis
from rq.job import Job
from rq.serializers import JSONSerializer

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.errors import RedisUnavailable, UsageError
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.intake.enqueue import EnqueuedRun, enqueue_run, new_run_id
from pagemill.model import Product
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore

pytestmark = pytest.mark.redis

PLATFORM = Platform.model_validate(
    {"platform": "shop", "hosts": ["www.shop.com"], "extract": {"fields": {"name": "h1", "price": ".price"}}}
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultStore]:
    with ResultStore(f"sqlite:///{tmp_path}/r.db") as opened:
        yield opened


@pytest.fixture
def enqueue(store: ResultStore, redis_client: redis.Redis) -> Callable[..., EnqueuedRun]:
    """`enqueue_run` with everything but the products filled in."""

    def call(products: Any, **changes: Any) -> EnqueuedRun:
        arguments: dict[str, Any] = {
            "source": "catalog.csv",
            "batch_size": 50,
            "settings": QueueSettings(),
            "redis": redis_client,
            "store": store,
        }
        return enqueue_run(products, PLATFORM, **{**arguments, **changes})

    return call


def make_products(count: int) -> Iterator[Product]:
    for number in range(count):
        yield Product(f"P{number:06d}", f"https://www.shop.com/{number}", {"name": f"셔츠 {number}", "price": number})


def jobs_of(client: redis.Redis) -> list[Job]:
    """The queued jobs, first to be worked on first."""
    return open_queue(client, "shop").get_jobs()


def test_products_become_batches_in_their_order(
    enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis, store: ResultStore
) -> None:
    """120 products at 50 per batch: 50, 50, 20; nothing lost, nothing twice."""
    so_far: list[int] = []

    enqueued = enqueue(make_products(120), on_batch=so_far.append, skipped=lambda: 7)

    batches = [from_arguments(*job.args) for job in jobs_of(redis_client)]
    assert (enqueued.batches, enqueued.products, so_far) == (3, 120, [50, 100, 120])
    assert [product for batch in batches for product in batch.products] == list(make_products(120))
    assert [(batch.run, batch.id, batch.platform) for batch in batches] == [
        (enqueued.run, f"b0000{number}", "shop") for number in (1, 2, 3)
    ]
    (summary,) = store.runs()
    assert (summary.run, summary.source, summary.products, summary.batches, summary.skipped) == (
        enqueued.run,
        "catalog.csv",
        120,
        3,
        7,
    )
    assert store.progress(enqueued.run).sealed


def test_what_lies_in_redis_is_json(enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis) -> None:
    """Another program can read it, and nobody can smuggle code in."""
    enqueued = enqueue(make_products(2))

    data = redis_client.hget(f"rq:job:{enqueued.run}_b00001", "data")
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data)) == [
        "pagemill.worker.job.run_batch",
        None,
        [
            enqueued.run,
            "b00001",
            "shop",
            [
                ["P000000", "https://www.shop.com/0", {"name": "셔츠 0", "price": 0}],
                ["P000001", "https://www.shop.com/1", {"name": "셔츠 1", "price": 1}],
            ],
        ],
        {},
    ]


def test_a_job_carries_its_limits_and_a_short_description(
    enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis
) -> None:
    """Retries, time-outs and time to live as configured; the payload is not repeated in the description."""
    enqueued = enqueue(make_products(40), settings=QueueSettings(max_retries=4, result_ttl_s=60, job_timeout_s=900))

    (job,) = jobs_of(redis_client)
    assert job.id == f"{enqueued.run}_b00001"
    assert job.description == f"shop {enqueued.run} b00001: 40 products"
    assert (job.retries_left, job.timeout, job.result_ttl, job.failure_ttl) == (4, 900, 60, 7 * 24 * 3600)
    assert Job.fetch(job.id, redis_client, JSONSerializer).func_name == "pagemill.worker.job.run_batch"


def test_no_retries_and_an_automatic_time_limit(enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis) -> None:
    """The limit fits the size of each batch."""
    enqueue(make_products(51), settings=QueueSettings(max_retries=0))

    large, small = jobs_of(redis_client)
    assert not large.retries_left
    assert (large.timeout, small.timeout) == (3510, 300)


def test_the_run_is_noted_before_the_first_job_and_sealed_after_the_last(
    enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis, store: ResultStore
) -> None:
    """Whoever follows the run from its first batch sees that it is not complete."""
    sealed: list[bool] = []
    queued: list[int] = []

    def look(_: int) -> None:
        sealed.append(store.progress(str(store.latest_run())).sealed)
        queued.append(open_queue(redis_client, "shop").count)

    enqueue(make_products(3), batch_size=1, on_batch=look)

    assert sealed == [False, False, False]
    assert queued[-1] == 3


def test_without_a_product_there_is_no_run(
    enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis, store: ResultStore
) -> None:
    """Neither a row nor a job is left behind."""
    with pytest.raises(UsageError, match=r"catalog\.csv holds no product"):
        enqueue([])

    assert store.runs() == []
    assert redis_client.keys("*") == []


def test_a_full_redis_is_reported_and_the_run_stays_open(
    enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis, store: ResultStore
) -> None:
    """The message says how far it got; what is queued is whole batches."""
    used_bytes = int(redis_client.info("memory")["used_memory"])
    redis_client.config_set("maxmemory", str(used_bytes + 1_000_000))

    with pytest.raises(RedisUnavailable, match=r"did not take a batch.*what the queue lacks") as raised:
        enqueue(make_products(100_000))

    run = str(store.latest_run())
    queued = open_queue(redis_client, "shop").count
    assert queued > 0
    noted = sum(1 for _ in AskedBatches(store).outstanding(run))
    assert noted >= queued
    assert f"Run {run} ends with {noted} batches" in str(raised.value)
    assert not store.progress(run).sealed
    redis_client.config_set("maxmemory", "0")
    assert len(jobs_of(redis_client)) == queued


def test_an_error_of_the_source_leaves_the_run_unsealed(
    enqueue: Callable[..., EnqueuedRun], store: ResultStore
) -> None:
    """A catalogue that breaks off is not mistaken for a complete one."""

    def breaking_off() -> Iterator[Product]:
        yield from make_products(5)
        raise UsageError("the disk went away")

    with pytest.raises(UsageError, match="the disk went away"):
        enqueue(breaking_off(), batch_size=2)

    assert not store.progress(str(store.latest_run())).sealed


def test_two_runs_lie_behind_each_other(enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis) -> None:
    """Each with its own id; ids sort by time and can be read."""
    first, second = enqueue(make_products(1)), enqueue(make_products(1))

    assert [from_arguments(*job.args).run for job in jobs_of(redis_client)] == [first.run, second.run]
    assert first.run != second.run
    assert re.fullmatch(r"\d{8}-\d{6}-shop-[0-9a-f]{4}", first.run)
    assert first.run[:15] <= second.run[:15]


def test_a_run_id_tells_the_time_in_utc() -> None:
    """Wherever the command was called."""
    seoul = datetime(2026, 11, 21, 10, 2, 3, tzinfo=timezone(timedelta(hours=9)))
    assert new_run_id("musinsa", seoul, "ab12") == "20261121-010203-musinsa-ab12"
    assert new_run_id("musinsa", seoul.astimezone(UTC), "ab12") == "20261121-010203-musinsa-ab12"


def test_memory_stays_flat_while_many_products_are_enqueued(
    enqueue: Callable[..., EnqueuedRun], redis_client: redis.Redis
) -> None:
    """A group of batches is held at a time, however many there are."""
    enqueue(make_products(50))
    peaks_kb: list[float] = []
    for count in (4_000, 16_000):
        tracemalloc.start()
        try:
            enqueue(make_products(count))
            peaks_kb.append(tracemalloc.get_traced_memory()[1] / 1000)
        finally:
            tracemalloc.stop()

    small_kb, large_kb = peaks_kb
    assert large_kb < small_kb * 1.2
    assert large_kb < 8_000
    assert open_queue(redis_client, "shop").count == 1 + 80 + 320
