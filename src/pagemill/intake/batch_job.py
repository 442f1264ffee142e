"""A batch as an RQ job: its arguments are JSON, never pickle.

Owns the names of queue, job and function, the form of the arguments in both directions, and what a job may do at all.
Must not put anything on a queue: `enqueue` does.
"""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import redis
from rq import Queue
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer

from pagemill.errors import BatchUnreadable
from pagemill.model import Batch, Priority, Product

RUN_BATCH = "pagemill.worker.job.run_batch"
"""The job's function, as a name because intake must not import it: `run_batch(run, batch, platform, products)`."""

QUEUE_PREFIX = "pagemill:"

JobArguments = tuple[str, str, str, list[list[Any]]]
"""Run, batch, platform, and per product `[id, url]` or `[id, url, expected]`."""


class BatchJob(Job):
    """A job that runs a batch and nothing else, whatever Redis says.

    RQ calls the function that a job names, its callbacks and its webhooks. Without this class, anybody who can write to
    Redis could make a worker run any function.
    """

    @property
    def is_batch(self) -> bool:
        """Whether the job names the function `RUN_BATCH`."""
        try:
            return self.func_name == RUN_BATCH and self.instance is None
        except DeserializationError:
            return False

    def batch(self) -> Batch:
        """The batch in the job's arguments.

        Raises:
            BatchUnreadable: the job is not a batch.
        """
        if not self.is_batch:
            raise BatchUnreadable("it is no batch of pagemill: workers run nothing else")
        try:
            return from_arguments(*self.args)
        except TypeError as error:
            raise BatchUnreadable(f"the job's arguments are not those of a batch: {error}") from error

    @property
    def should_retry(self) -> bool:
        """RQ's hook. A job that is not a batch is not retried, because it would fail again."""
        return self.is_batch and super().should_retry

    def _execute(self) -> Any:
        self.batch()
        return super()._execute()

    def execute_success_callback(self, *_arguments: Any) -> None:
        """Does nothing, because batches have no callbacks."""

    def execute_failure_callback(self, *_arguments: Any) -> None:
        """Does nothing, because batches have no callbacks."""

    def execute_stopped_callback(self, *_arguments: Any) -> None:
        """Does nothing, because batches have no callbacks."""

    def send_webhooks(self, *_arguments: Any, **_options: Any) -> None:
        """Does nothing, because batches have no webhooks."""


def queue_name(platform: str, priority: Priority = Priority.NORMAL) -> str:
    """The name of a platform's queue for batches of that priority."""
    name = QUEUE_PREFIX + platform
    return name if priority is Priority.NORMAL else f"{name}:{priority}"


def platform_of(queue: Queue) -> str:
    """The platform that a queue belongs to."""
    return queue.name.removeprefix(QUEUE_PREFIX).partition(":")[0]


def open_queue(connection: redis.Redis, platform: str, priority: Priority = Priority.NORMAL) -> Queue:
    """One of a platform's queues. Jobs are JSON, so workers must use `JSONSerializer`, too."""
    name = queue_name(platform, priority)
    return Queue(name, connection=connection, serializer=JSONSerializer, job_class=BatchJob)


def open_queues(connection: redis.Redis, platform: str) -> list[Queue]:
    """All queues of a platform, in the order in which batches are taken."""
    return [open_queue(connection, platform, priority) for priority in Priority]


def news_channel(platform: str) -> str:
    """The channel that announces new batches of a platform, so that workers need not wait for their next look."""
    return f"pagemill:queued:{platform}"


def job_id(run: str, batch: str) -> str:
    """The id of a batch's job: `<run>_<batch>`; RQ allows letters, digits, underscores and dashes only."""
    return f"{run}_{batch}"


def run_of(job: str) -> str:
    """The run of a job's batch."""
    return job.rpartition("_")[0]


def to_arguments(batch: Batch) -> JobArguments:
    """The batch as values for JSON; names are not repeated for each product."""
    products = [
        [product.id, product.url, dict(product.expected)] if product.expected else [product.id, product.url]
        for product in batch.products
    ]
    return batch.run, batch.id, batch.platform, products


def from_arguments(run: object, batch: object, platform: object, products: object) -> Batch:
    """The batch in a job's arguments.

    Raises:
        BatchUnreadable: the arguments do not have the form that `to_arguments` makes.
    """
    for name, value in (("run", run), ("batch", batch), ("platform", platform)):
        if not isinstance(value, str) or not value:
            raise BatchUnreadable(f"the job's {name} is {_shown(value)}, not a name")
    if not isinstance(products, list) or not products:
        raise BatchUnreadable(f"the job's products are {_shown(products)}, not a list of products")
    return Batch(str(run), str(batch), str(platform), tuple(_product(entry) for entry in products))


def _product(entry: object) -> Product:
    if not isinstance(entry, list) or len(entry) not in (2, 3):
        raise BatchUnreadable(f"a product of the job is {_shown(entry)}, not [id, url, expected]")
    product_id, url, *rest = entry
    expected = rest[0] if rest else {}
    if not (isinstance(product_id, str) and product_id and isinstance(url, str) and url):
        raise BatchUnreadable(f"a product of the job has id {_shown(product_id)} and url {_shown(url)}")
    if not _are_facts(expected):
        raise BatchUnreadable(f"product {_shown(product_id)} of the job expects {_shown(expected)}")
    return Product(product_id, url, expected)


def _are_facts(value: object) -> TypeGuard[dict[str, str | int | float | bool | None]]:
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and (fact is None or isinstance(fact, str | int) or (isinstance(fact, float) and math.isfinite(fact)))
        for name, fact in value.items()
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "..."
