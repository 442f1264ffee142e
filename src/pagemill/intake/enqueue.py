"""Products of one platform become a run: batches, each one job on the platform's queue.

Owns the run's id, the cut into batches and the order of things: the run's row first, then jobs, the seal last. Must not
hold more than a few batches in memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import redis
from rq import Queue, Retry
from rq.queue import EnqueueData

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.errors import RedisUnavailable, UsageError
from pagemill.intake.batch_job import RUN_BATCH, job_id, open_queue, to_arguments
from pagemill.intake.job_timeout import job_timeout_s
from pagemill.model import Batch, Product
from pagemill.results.store import ResultStore

FAILURE_TTL_S = 7 * 24 * 3600
_PRODUCTS_PER_PIPELINE = 2000


@dataclass(frozen=True, slots=True)
class EnqueuedRun:
    """What was put on the queue."""

    run: str
    batches: int
    products: int


def enqueue_run(
    products: Iterable[Product],
    platform: Platform,
    *,
    source: str,
    batch_size: int,
    settings: QueueSettings,
    redis: redis.Redis,
    store: ResultStore,
    on_batch: Callable[[int], None] | None = None,
    skipped: Callable[[], int] | None = None,
) -> EnqueuedRun:
    """Puts all products on the platform's queue as one run, a few batches at a time.

    A run whose enqueueing broke off stays unsealed; what is on the queue by then will be worked on.

    Args:
        products: streamed; an error from it ends the run unsealed.
        platform: whose products these are.
        source: where they come from, for the list of runs.
        batch_size: how many products make a batch.
        settings: retries, time-out and how long RQ keeps what is done.
        redis: a client whose answers are bytes.
        store: an open store.
        on_batch: called for each batch that is on the queue, with the number of products queued so far.
        skipped: asked at the end how many rows of the source were bad.

    Raises:
        UsageError: there is not one product; no run is left behind.
        RedisUnavailable: Redis went away, or is full.
        DatabaseUnavailable: the run could not be noted or sealed.
    """
    stream = iter(products)
    first = next(stream, None)
    if first is None:
        raise UsageError(f"{source} holds no product that can be checked: correct the rows reported, or add some")
    run = new_run_id(platform.platform, datetime.now(UTC), secrets.token_hex(2))
    store.create_run(run, platform.platform, source)
    queue = open_queue(redis, platform.platform)
    batches = _batches(first, stream, run, platform.platform, batch_size)
    batch_count = product_count = 0
    while group := list(islice(batches, max(1, _PRODUCTS_PER_PIPELINE // batch_size))):
        _put(queue, [_job(batch, platform, settings) for batch in group], run, batch_count)
        for batch in group:
            batch_count += 1
            product_count += len(batch.products)
            if on_batch is not None:
                on_batch(product_count)
    store.seal_run(run, product_count, batch_count, skipped() if skipped is not None else 0)
    return EnqueuedRun(run, batch_count, product_count)


def new_run_id(platform: str, now: datetime, suffix: str) -> str:
    """An id that sorts by time and can be read: `20261121-010203-musinsa-ab12`, the time in UTC."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{platform}-{suffix}"


def _batches(first: Product, rest: Iterator[Product], run: str, platform: str, size: int) -> Iterator[Batch]:
    number = 1
    chunk = (first, *islice(rest, size - 1))
    while chunk:
        yield Batch(run, f"b{number:05d}", platform, chunk)
        number += 1
        chunk = tuple(islice(rest, size))


def _job(batch: Batch, platform: Platform, settings: QueueSettings) -> EnqueueData:
    return Queue.prepare_data(
        RUN_BATCH,
        args=to_arguments(batch),
        timeout=job_timeout_s(platform, len(batch.products), settings),
        result_ttl=settings.result_ttl_s,
        failure_ttl=FAILURE_TTL_S,
        # Left to itself RQ describes a job by all of its arguments, in every log line.
        description=f"{batch.platform} {batch.run} {batch.id}: {len(batch.products)} products",
        job_id=job_id(batch.run, batch.id),
        retry=Retry(max=settings.max_retries) if settings.max_retries else None,
    )


def _put(queue: Queue, jobs: list[EnqueueData], run: str, batches_before: int) -> None:
    try:
        with queue.connection.pipeline() as pipeline:
            queue.enqueue_many(jobs, pipeline=pipeline)
            pipeline.execute()
    except redis.RedisError as error:
        raise RedisUnavailable(
            f"Redis did not take a batch: {error}. Run {run} ends with {batches_before} batches on the queue; enqueue "
            "again when Redis is well"
        ) from error
