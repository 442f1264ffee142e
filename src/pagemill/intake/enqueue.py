"""Products of one platform become a run: batches, each one job on the platform's queue.

Owns the run's id, the cut into batches and the order of things: the run's row first, then jobs, the seal last. Whoever
takes over after a crash goes on behind the last batch that is on the queue: jobs and the note of how far they go are
written in one step. Must not hold more than a few batches in memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, chain, islice
from typing import cast

import redis
from rq import Queue, Retry
from rq.queue import EnqueueData

from pagemill.broker.room import lack_of_room
from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.errors import PagemillError, RedisUnavailable, UsageError
from pagemill.intake.batch_job import RUN_BATCH, job_id, open_queue, to_arguments
from pagemill.intake.job_timeout import job_timeout_s
from pagemill.model import Batch, Product
from pagemill.results.store import ResultStore

FAILURE_TTL_S = 7 * 24 * 3600
_PRODUCTS_PER_PIPELINE = 2000
_TRIES = 5
_ROOM_REMEDY = "Let workers work some off, or give Redis more memory, and enqueue again"
_REACHED_TTL_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class EnqueuedRun:
    """What was put on the queue."""

    run: str
    batches: int
    products: int


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a run is on the queue: so many batches and products, the last of them with that id."""

    batches: int = 0
    products: int = 0
    last_id: str = ""


NOTHING = Reached()


class EnqueuedElsewhere(PagemillError):
    """Another process goes on with this run."""


def reached(redis: redis.Redis, run: str) -> Reached:
    """How far that run is; known for a day after its last batch."""
    found = cast("list[bytes | None]", redis.hmget(_reached_key(run), "batches", "products", "last_id"))
    batches, products, last_id = found
    return Reached(int(batches or 0), int(products or 0), (last_id or b"").decode())


def behind(products: Callable[[], Iterable[Product]], last_id: str) -> Generator[Product]:
    """The products of a catalogue behind that one; all of them if it is no longer there: better twice than never."""
    found = False
    for product in products():
        if found:
            yield product
        found = found or product.id == last_id
    if not found:
        yield from products()


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
    run: str = "",
    start: Reached = NOTHING,
) -> EnqueuedRun:
    """Puts all products on the platform's queue as one run, a few batches at a time.

    A run whose enqueueing broke off stays unsealed; what is on the queue by then will be worked on. It can be gone on
    with: `run`, `start` as `reached` tells it, and the products `behind` its last one.

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
        run: its id; a new one if empty.
        start: how far it is already.

    Raises:
        UsageError: there is not one product; no run is left behind.
        EnqueuedElsewhere: another process goes on with this run.
        RedisUnavailable: Redis went away, or is full: some room is left to the workers.
        DatabaseUnavailable: the run could not be noted or sealed.
    """
    if full := _lack_of_room(redis):
        raise RedisUnavailable(f"Redis takes no run: {full}. {_ROOM_REMEDY}")
    stream = iter(products)
    first = next(stream, None)
    if first is None and not start.batches:
        raise UsageError(f"{source} holds no product that can be checked: correct the rows reported, or add some")
    may_exist = bool(run)
    run = run or new_run_id(platform.platform, datetime.now(UTC), secrets.token_hex(2))
    store.create_run(run, platform.platform, source, may_exist=may_exist)
    queue = open_queue(redis, platform.platform)
    products_left = stream if first is None else chain([first], stream)
    batches = _batches(products_left, run, platform.platform, batch_size, start.batches)
    state = start
    while group := list(islice(batches, max(1, _PRODUCTS_PER_PIPELINE // batch_size))):
        queued = list(accumulate((len(batch.products) for batch in group), initial=state.products))[1:]
        after = Reached(state.batches + len(group), queued[-1], group[-1].products[-1].id)
        _put(queue, [_job(batch, platform, settings) for batch in group], run, state, after)
        state = after
        if on_batch is not None:
            for products_so_far in queued:
                on_batch(products_so_far)
    store.seal_run(run, state.products, state.batches, skipped() if skipped is not None else 0)
    return EnqueuedRun(run, state.batches, state.products)


def new_run_id(platform: str, now: datetime, suffix: str) -> str:
    """An id that sorts by time and can be read: `20261121-010203-musinsa-ab12`, the time in UTC."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{platform}-{suffix}"


def _batches(products: Iterator[Product], run: str, platform: str, size: int, before: int) -> Iterator[Batch]:
    number = before
    while chunk := tuple(islice(products, size)):
        number += 1
        yield Batch(run, f"b{number:05d}", platform, chunk)


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


def _put(queue: Queue, jobs: list[EnqueueData], run: str, before: Reached, after: Reached) -> None:
    """Puts them on the queue once, however often a lost connection makes it try."""
    key = _reached_key(run)
    if full := _lack_of_room(queue.connection):
        raise RedisUnavailable(f"Redis did not take a batch: {full}. {_so_far(run, before)}. {_ROOM_REMEDY}")
    try:
        for _ in range(_TRIES):
            with suppress(redis.WatchError), queue.connection.pipeline() as pipeline:
                pipeline.watch(key)  # type: ignore[no-untyped-call]
                found = reached(pipeline, run)
                if found == after:
                    return
                if found != before:
                    raise EnqueuedElsewhere(
                        f"another process puts run {run} on the queue, from batch {before.batches + 1} on"
                    )
                pipeline.multi()
                queue.enqueue_many(jobs, pipeline=pipeline)
                pipeline.hset(
                    key, mapping={"batches": after.batches, "products": after.products, "last_id": after.last_id}
                )
                pipeline.expire(key, _REACHED_TTL_S)
                pipeline.execute()
                return
        raise redis.ConnectionError("the connection is lost again and again")
    except redis.RedisError as error:
        raise RedisUnavailable(
            f"Redis did not take a batch: {error}. {_so_far(run, before)}; enqueue again when Redis is well"
        ) from error


def _so_far(run: str, reached: Reached) -> str:
    return f"Run {run} ends with {reached.batches} batches on the queue"


def _lack_of_room(client: redis.Redis) -> str:
    try:
        return lack_of_room(client)
    except redis.RedisError as error:
        raise RedisUnavailable.gone(error) from error


def _reached_key(run: str) -> str:
    return f"pagemill:enqueue:{run}"
