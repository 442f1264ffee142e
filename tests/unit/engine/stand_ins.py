"""Stand-ins for what the engine works with: a pool without a browser, pages that do as they are told, a slow shelf."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from pagemill.config.platform import Platform
from pagemill.engine.job_state import JobState
from pagemill.engine.lane import Stations
from pagemill.engine.runner import Runner
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.strategy import Visit
from pagemill.model import Batch, ItemResult, PageReading, Product
from pagemill.pacing.turns import Turns
from tests.unit.pacing.stand_in_pace import StandInPace

Behaviour = PageReading | Exception | Callable[[], Awaitable[PageReading]]
"""What one visit brings: a reading, an error, or whatever awaiting it comes to."""

GOOD = PageReading(200, "https://shop.test/", {"name": "Shirt", "in_stock": True})
NOT_READY = PageReading(200, "https://shop.test/", {}, ready=False)


async def hang() -> PageReading:
    """A page that never answers."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def shop(name: str = "shop", **changes: Any) -> Platform:
    """A platform without waits, tried up to three times without a pause; sections can be changed."""
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": ["shop.test"],
            "workflow": {"rate_limit": {"enabled": False}, "concurrency": {"default": 2}},
            "extract": {"fields": {"name": "h1", "in_stock": ".stock"}},
            "retry": {"attempts": 3, "backoff_ms": 0},
            **changes,
        }
    )


def batch(count: int = 6, *, run: str = "run", id: str = "b1", platform: str = "shop") -> Batch:
    """Products p1, p2, ..."""
    products = tuple(Product(f"p{number}", f"https://shop.test/p{number}") for number in range(1, count + 1))
    return Batch(run, id, platform, products)


class StandInLease:
    """What a lane sees of a lease."""

    def __init__(self, pool: StandInPool, fresh: bool) -> None:
        self._pool = pool
        self._fresh = fresh
        self.page = object()
        self.refusal: str | None = None
        self.strayed: str | None = None
        self.retry_after = pool.retry_after
        self.news = None
        self.world = None
        self.bad = ""
        self.light = False
        self.is_first = False

    def retire_context(self, reason: str) -> None:
        self._pool.retired.append(reason)
        self.mark_bad(reason)

    def mark_bad(self, reason: str) -> None:
        self.bad = self.bad or reason

    def mark_light(self) -> None:
        self.light = True

    async def __aenter__(self) -> StandInLease:
        await asyncio.sleep(0)
        self.is_first = self._fresh or not self._pool.used
        self._pool.used = True
        if self._pool.errors:
            raise self._pool.errors.pop(0)
        self._pool.leased += 1
        self._pool.most = max(self._pool.most, self._pool.leased)
        self._pool.current[id(self.page)] = self
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.leased -= 1
        del self._pool.current[id(self.page)]
        self._pool.light.append(self.light)
        self._pool.ended.append(self.bad or (type(error).__name__ if error is not None else ""))


class StandInPool:
    """Leases without end; counts them and keeps how each one ended."""

    def __init__(self) -> None:
        self.leased = 0
        self.most = 0
        self.errors: list[Exception] = []
        """What the next attempts to get a lease end in."""
        self.ended: list[str] = []
        self.light: list[bool] = []
        self.used = False
        """Whether the context of leases that need no fresh one has been visited in."""
        self.retired: list[str] = []
        """Why contexts were retired."""
        self.fresh: list[bool] = []
        """Whether each lease was to stand in a context that nothing had been visited in."""
        self.retry_after = ""
        """What every answer says when the shop may be visited again."""
        self.current: dict[int, StandInLease] = {}
        self.served: list[str] = []
        self.prepared: list[str] = []
        """The platforms of visits that were announced."""
        self.prepared_s: list[float] = []
        """When they were, by the loop's clock."""
        self.opening_s = 0.3

    def prepare(self, platform: Platform) -> None:
        self.prepared.append(platform.platform)
        self.prepared_s.append(asyncio.get_running_loop().time())

    @contextmanager
    def serving(self, platform: Platform) -> Iterator[None]:
        self.served.append(platform.platform)
        yield
        self.served.remove(platform.platform)

    def lease(self, _platform: Platform, *, fresh: bool = False, stop: asyncio.Event | None = None) -> StandInLease:
        self.fresh.append(fresh)
        return StandInLease(self, fresh)


class ScriptedStrategy:
    """Visits that do what `script` says for each product, attempt by attempt; after that they are good."""

    def __init__(self, pool: StandInPool, script: Mapping[str, Sequence[Behaviour]]) -> None:
        self._pool = pool
        self._script: dict[str, list[Behaviour]] = {}
        self.visits: list[str] = []
        self.so_far: list[object] = []
        """What each visit was told of the steps before it."""
        self.without_page: set[str] = set()
        """Products that are asked for without a page."""
        self.refusals: dict[str, str] = {}
        """Products whose page leads to a place that is refused."""
        self.strayed: dict[str, str] = {}
        """Products whose page shows a document that nobody could refuse."""
        self.script(script)

    def script(self, script: Mapping[str, Sequence[Behaviour]]) -> None:
        """Says what visits of these products bring from now on."""
        self._script.update({product: list(behaviours) for product, behaviours in script.items()})

    def needs_page(self, visit: Visit) -> bool:
        return visit.product.id not in self.without_page

    async def read(self, page: object, visit: Visit) -> PageReading:
        product = visit.product.id
        self.visits.append(product)
        self.so_far.append(visit.so_far)
        if product in self.refusals:
            self._pool.current[id(page)].refusal = self.refusals[product]
        if product in self.strayed:
            self._pool.current[id(page)].strayed = self.strayed[product]
        await asyncio.sleep(0)
        behaviours = self._script.get(product)
        behaviour = behaviours.pop(0) if behaviours else GOOD
        if isinstance(behaviour, Exception):
            raise behaviour
        return behaviour if isinstance(behaviour, PageReading) else await behaviour()


class Shelf:
    """Where results go: put down at once, stored by `flush`, as `ResultWriter` does it."""

    def __init__(self) -> None:
        self.waiting: list[ItemResult] = []
        self.stored: list[ItemResult] = []
        self.flushes: list[float] = []
        self.error: Exception | None = None
        self.flush_hook: Callable[[], None] = lambda: None

    def put(self, result: ItemResult) -> None:
        self.waiting.append(result)

    def flush(self, timeout_s: float) -> None:
        self.flushes.append(timeout_s)
        self.flush_hook()
        if self.error is not None:
            raise self.error
        self.stored += self.waiting
        self.waiting = []

    def judged(self, run: str, product_ids: list[str]) -> set[str]:
        """Those of the products that have a stored result."""
        return {result.product_id for result in self.stored if result.run == run} & set(product_ids)

    def products(self) -> list[str]:
        """Whose results are stored, in order of product."""
        return sorted(result.product_id for result in self.stored)


class Bench:
    """A runner on stand-ins."""

    def __init__(
        self,
        script: Mapping[str, Sequence[Behaviour]] | None = None,
        platform: Platform | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.platform = platform or shop()
        self.pool = StandInPool()
        self.strategy = ScriptedStrategy(self.pool, script or {})
        self.shelf = Shelf()
        self.pace = StandInPace()
        self.turns = turns or Turns(self.pace)
        self.stations = Stations(
            pool=cast(Any, self.pool),
            turns=self.turns,
            artifacts=ArtifactStore(Path("/nowhere"), 1, 1, enabled=False),
            strategies={self.platform.platform: cast(Any, self.strategy)},
            deliver=self.shelf.put,
            worker="w1",
        )
        self.runner = Runner({self.platform.platform: self.platform}, self.stations, self.shelf.judged, self.shelf)

    def state(self, products: int = 1) -> JobState:
        """The state of a batch, for a lane alone."""
        work = batch(products)
        return JobState(work, self.platform, deque(work.products), asyncio.Event())

    def visits(self) -> dict[str, int]:
        """How often each product was visited."""
        return dict(Counter(self.strategy.visits))


async def until(condition: Callable[[], bool], turns: int = 10_000) -> None:
    """Lets the loop go round until a condition holds."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")
