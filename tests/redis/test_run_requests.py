"""Runs that requests ask for: what takes long, breaks off, and goes on, on a real Redis and a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import redis

from pagemill.config.platform import Platform
from pagemill.config.settings import Config, Environment, Settings
from pagemill.control_room.control.run_requests import RunRequest, RunRequests
from pagemill.errors import KeyTaken, ServiceUnavailable, TooManyAtOnce
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.intake.begin_run import Beginner
from pagemill.intake.enqueuer_life import LOOKS, DeadEnqueuers
from pagemill.intake.rows import BadRow
from pagemill.model import Product
from pagemill.results.runs import RunState
from pagemill.results.store import ResultStore

pytestmark = pytest.mark.redis

SHOP = Platform.model_validate({"platform": "shop", "hosts": ["www.shop.com"], "extract": {"fields": {"name": "h1"}}})
COUNT = 2500
"""More than go onto the queue in one step."""


class Office:
    """Everything that a process has which begins runs."""

    def __init__(self, client: redis.Redis, store: ResultStore) -> None:
        config = Config(settings=Settings(), platforms={"shop": SHOP}, environment=Environment())
        self.beginner = Beginner(config, client, store)
        self.client = client
        self.store = store

    def requests(self, wait_s: float = 20.0) -> RunRequests:
        """A fresh process'."""
        return RunRequests(self.beginner, self.store, wait_s=wait_s)

    def queued(self) -> list[str]:
        """Ids of the products that wait."""
        jobs = open_queue(self.client, "shop").get_jobs()
        return [product.id for job in jobs for product in from_arguments(*job.args).products]


@pytest.fixture
def office(redis_client: redis.Redis, tmp_path: Path) -> Iterator[Office]:
    """With an empty queue."""
    with ResultStore(f"sqlite:///{tmp_path}/r.db") as store:
        yield Office(redis_client, store)


def wanted(gate: threading.Event, *, digest: str = "d", key: str = "night") -> RunRequest:
    """A run whose last products come when the gate is open."""

    def products(_note: Callable[[BadRow], None]) -> Iterator[Product]:
        for number in range(COUNT):
            if number == COUNT - 1:
                assert gate.wait(20)
            yield Product(f"P{number:04}", f"https://www.shop.com/{number}")

    return RunRequest(SHOP, products, "test", batch_size=50, key=key, digest=digest)


def opened() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def test_what_takes_long_goes_on_behind_the_answer(office: Office) -> None:
    """The same request waits for the same run; when nobody asks any more it is complete."""
    requests, gate = office.requests(wait_s=0.05), threading.Event()
    begun = requests.begin(wanted(gate), ExitStack())
    assert (begun.is_new, begun.is_queued) == (True, False)
    again = requests.begin(wanted(gate), ExitStack())
    assert (again.run, again.is_new, again.is_queued) == (begun.run, False, False)
    gate.set()
    requests.close(20)
    assert office.store.run(begun.run).products in (COUNT, None)
    last = office.requests().begin(wanted(opened()), ExitStack())
    assert (last.run, last.is_new, last.is_queued) == (begun.run, False, True)
    assert sorted(office.queued()) == [f"P{number:04}" for number in range(COUNT)]


def test_a_process_that_ends_leaves_its_run_to_the_next_one(office: Office) -> None:
    """The same request goes on behind what was queued, also with a run that was taken for broken off meanwhile; each
    product is queued once."""
    requests, gate = office.requests(), threading.Event()
    raised: list[Exception] = []

    def ask() -> None:
        try:
            requests.begin(wanted(gate), ExitStack())
        except ServiceUnavailable as error:
            raised.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not office.queued():
        assert asking.is_alive()
    closing = threading.Thread(target=requests.close, args=(20,))
    closing.start()
    while not requests.closing:
        pass
    gate.set()
    closing.join(20)
    asking.join(20)
    assert "send the request again, with the same Idempotency-Key" in str(raised[0])
    (broken,) = office.store.runs()
    assert broken.state is RunState.QUEUEING
    looker = DeadEnqueuers(office.store)
    for _ in range(LOOKS + 1):
        looker.look()
    assert office.store.run(broken.run).broken_at is not None
    assert 0 < len(office.queued()) < COUNT
    begun = office.requests().begin(wanted(opened()), ExitStack())
    assert (begun.run, begun.is_new, begun.is_queued) == (broken.run, False, True)
    assert sorted(office.queued()) == [f"P{number:04}" for number in range(COUNT)]
    assert office.store.run(begun.run).products == COUNT
    assert office.store.run(begun.run).broken_at is None


def test_a_key_is_of_one_request(office: Office) -> None:
    """Another one is refused by it, and begins nothing."""
    requests = office.requests()
    begun = requests.begin(wanted(opened()), ExitStack())
    with pytest.raises(KeyTaken, match=begun.run):
        requests.begin(wanted(opened(), digest="other"), ExitStack())
    assert requests.begin(wanted(opened(), key=""), ExitStack()).is_new
    assert len(office.store.runs()) == 2


def test_what_is_held_is_let_go(office: Office) -> None:
    """Its place too, whatever became of the request."""
    requests = office.requests()
    closed: list[str] = []
    for digest in ("a", "b", "a", "c", "a"):
        with ExitStack() as held, suppress(KeyTaken):
            held.enter_context(requests.place())
            held.callback(closed.append, digest)
            requests.begin(wanted(opened(), digest=digest), held.pop_all())
    assert closed == ["a", "b", "a", "c", "a"]
    with requests.place(), requests.place(), pytest.raises(TooManyAtOnce), requests.place():
        pass
