"""Turns products into a run: batches of one platform each, and each batch a job on its platform's queue.

Owns the run's id, the division into batches, and the order of steps: first the run's row, then each batch in the
database and on the queue, last the seal. After a crash, another process can continue with the remaining products, and
the search for lost batches queues those that are only in the database. Must not hold more than a few batches in memory.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, chain, count, groupby, islice
from operator import attrgetter

import redis
from rq import Queue, Retry
from rq.job import Job
from rq.queue import EnqueueData

from pagemill.broker.redis_room import lack_of_room
from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings
from pagemill.errors import EnqueuedElsewhere, RedisUnavailable, UsageError
from pagemill.intake.batch_job import RUN_BATCH, job_id, news_channel, open_queue, platform_of, to_arguments
from pagemill.intake.enqueuer_life import giving_signs_of_life
from pagemill.intake.job_timeout import job_timeout_s
from pagemill.intake.platforms import Platforms, by_name, name_of
from pagemill.model import Batch, Priority, Product
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.runs import Telling
from pagemill.results.store import ResultStore

FAILURE_TTL_S = 7 * 24 * 3600
_PRODUCTS_PER_PIPELINE = 2000
_TRIES = 5
_BY_PLATFORM = attrgetter("platform")
_ROOM_REMEDY = "Let workers work some off, or give Redis more memory, and enqueue again"


@dataclass(frozen=True, slots=True)
class EnqueuedRun:
    """The outcome of enqueueing."""

    run: str
    batches: int
    products: int
    by_platform: Mapping[str, int] = field(default_factory=dict)
    """The number of products by platform; for a continued run only those queued now."""


def enqueue_run(
    products: Iterable[Product],
    platform: Platforms,
    *,
    source: str,
    batch_size: int,
    settings: QueueSettings,
    redis: redis.Redis,
    store: ResultStore,
    priority: Priority = Priority.NORMAL,
    on_batch: Callable[[int], None] | None = None,
    skipped: Callable[[], int] | None = None,
    run: str = "",
    start: Reached = NOTHING,
    telling: Telling | None = None,
) -> EnqueuedRun:
    """Puts all products on the queues of their platforms as one run, a few batches at a time.

    If enqueueing breaks off, the run stays unsealed. Its batches so far are worked off, and the run is closed later,
    see `enqueuer_life`. It can be continued with `run`, `start`, and the `rest_of` its products.

    Args:
        products: streamed, however slowly they come. An error from it leaves the run unsealed.
        platform: the products' platform; or several by name, and then each product names its own.
        source: where the products come from, for the list of runs.
        batch_size: the number of products in a batch.
        settings: retries, time-out, and how long RQ keeps finished jobs.
        redis: a client whose answers are bytes.
        store: an open store.
        priority: decides which of the platform's runs is worked on first.
        on_batch: called after each queued batch, with the number of products queued so far.
        skipped: called at the end; gives the number of bad rows in the source.
        run: its id; a new one if empty.
        start: how far the run is already, from `AskedBatches.reached`.
        telling: how the run's end is reported, if that differs from the settings.

    Raises:
        UsageError: there is no product at all; no run is left behind.
        EnqueuedElsewhere: another process continues this run.
        RedisUnavailable: Redis went away, or is full except for the room that workers need.
        DatabaseUnavailable: the run could not be recorded or sealed.
    """
    name, platforms = name_of(platform), by_name(platform)
    may_exist = bool(run)
    run = run or new_run_id(name, datetime.now(UTC), secrets.token_hex(2))
    asked = AskedBatches(store)
    by_platform: Counter[str] = Counter()
    state = start
    with giving_signs_of_life(store, run):
        if full := _lack_of_room(redis):
            raise RedisUnavailable(f"Redis takes no run: {full}. {_ROOM_REMEDY}")
        stream = iter(products)
        first = next(stream, None)
        if first is None and not start.batches:
            raise UsageError(f"{source} holds no product that can be checked: correct the rows reported, or add some")
        store.create_run(run, name, source, may_exist=may_exist, priority=priority, telling=telling)
        products_left = stream if first is None else chain([first], stream)
        batches = _batches(products_left, run, platforms, name, batch_size, start.batches)
        if start.batches:
            put_noted(asked, redis, run, platforms, settings)
        while group := list(islice(batches, max(1, _PRODUCTS_PER_PIPELINE // batch_size))):
            queued = list(accumulate((len(batch.products) for batch in group), initial=state.products))[1:]
            after = Reached(state.batches + len(group), queued[-1], group[-1].products[-1].id)
            if not asked.note(group, state, after):
                from_here = f"from batch {state.batches + 1} on"
                raise EnqueuedElsewhere(f"another process puts run {run} on the queue, {from_here}")
            try:
                for shop, its in groupby(sorted(group, key=_BY_PLATFORM), key=_BY_PLATFORM):
                    put(open_queue(redis, shop, priority), list(its), platforms[shop], settings)
            except RedisUnavailable as error:
                so_far = f"Run {run} ends with {after.batches} batches; what the queue lacks comes when Redis is well"
                raise RedisUnavailable(f"{error}. {so_far}. {_ROOM_REMEDY}") from error
            state = after
            for batch in group:
                by_platform[batch.platform] += len(batch.products)
            if on_batch is not None:
                for products_so_far in queued:
                    on_batch(products_so_far)
        store.seal_run(run, state.products, state.batches, skipped() if skipped is not None else 0)
    return EnqueuedRun(run, state.batches, state.products, dict(by_platform))


def new_run_id(platform: str, now: datetime, suffix: str) -> str:
    """An id that sorts by time and can be read: `20261121-010203-musinsa-ab12`, the time in UTC."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{platform}-{suffix}"


def _batches(
    products: Iterator[Product], run: str, platforms: Mapping[str, Platform], only: str, size: int, before: int
) -> Iterator[Batch]:
    """Yields a batch as soon as its platform has enough products, and the rest at the end. `only` is the platform of
    products that name none."""
    numbers = count(before + 1)
    waiting: dict[str, list[Product]] = {name: [] for name in platforms}
    for product in products:
        name = product.platform or only
        if name not in waiting:
            raise UsageError(f"product {product.id} is of platform {name}, not of {' or '.join(platforms)}")
        waiting[name].append(product)
        if len(waiting[name]) == size:
            yield Batch(run, f"b{next(numbers):05d}", name, tuple(waiting[name]))
            waiting[name] = []
    for name, left in waiting.items():
        if left:
            yield Batch(run, f"b{next(numbers):05d}", name, tuple(left))


def _job(batch: Batch, platform: Platform | None, settings: QueueSettings) -> EnqueueData:
    return Queue.prepare_data(
        RUN_BATCH,
        args=to_arguments(batch),
        timeout=job_timeout_s(platform, len(batch.products), settings),
        result_ttl=settings.result_ttl_s,
        failure_ttl=FAILURE_TTL_S,
        # By default RQ would put all of a job's arguments into its description, and so into every log line.
        description=f"{batch.platform} {batch.run} {batch.id}: {len(batch.products)} products",
        job_id=job_id(batch.run, batch.id),
        retry=Retry(max=settings.max_retries) if settings.max_retries else None,
    )


def put_noted(
    asked: AskedBatches, redis: redis.Redis, run: str, platforms: Mapping[str, Platform], settings: QueueSettings
) -> int:
    """Queues the run's recorded batches that are neither done nor on the queue; returns their number.

    Raises:
        RedisUnavailable: as `put`.
    """
    found = 0
    for each in asked.outstanding(run):
        if (batch := asked.batch(run, each.batch)) is not None:
            queue = open_queue(redis, each.platform, each.priority)
            found += put(queue, [batch], platforms.get(each.platform), settings)
    return found


def put(queue: Queue, batches: Sequence[Batch], platform: Platform | None, settings: QueueSettings) -> int:
    """Queues those of the batches that the queue lacks, each once even if lost connections force repeated tries.
    Returns their number. `platform` is `None` if it is not configured here; the batches then get the longest time-out.

    Raises:
        RedisUnavailable: Redis does not answer, or is full except for the room that workers need.
    """
    if full := _lack_of_room(queue.connection):
        raise RedisUnavailable(f"Redis did not take a batch: {full}")
    jobs = {Job.key_for(job_id(batch.run, batch.id)): _job(batch, platform, settings) for batch in batches}
    try:
        for _ in range(_TRIES):
            with suppress(redis.WatchError), queue.connection.pipeline() as pipeline:
                pipeline.watch(*jobs)  # type: ignore[no-untyped-call]
                missing = list(jobs.values())
                if pipeline.exists(*jobs):
                    missing = [job for key, job in jobs.items() if not pipeline.exists(key)]
                pipeline.multi()
                if missing:
                    queue.enqueue_many(missing, pipeline=pipeline)
                pipeline.execute()
                _tell_workers(queue)
                return len(missing)
        raise redis.ConnectionError("the connection is lost again and again")
    except redis.RedisError as error:
        raise RedisUnavailable(f"Redis did not take a batch: {error}") from error


def _tell_workers(queue: Queue) -> None:
    """Announces new batches to workers. A lost message delays them by a tenth of a second, until their next look."""
    with suppress(redis.RedisError):
        queue.connection.publish(news_channel(platform_of(queue)), "")


def _lack_of_room(client: redis.Redis) -> str:
    try:
        return lack_of_room(client)
    except redis.RedisError as error:
        raise RedisUnavailable.gone(error) from error
