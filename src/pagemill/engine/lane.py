"""One lane: takes products one by one, waits its turn, visits, judges and hands the result on.

A bad product is a verdict, never an exception. Only a cancellation, and a browser or a database that cannot be had, end
a lane: in these cases no product could be judged.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pagemill.browser.lease import Lease
from pagemill.browser.pool import BrowserPool
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.deadlines import within
from pagemill.engine.attempt_outcome import AttemptOutcome, as_trouble, failure, outcome_of_error, outcome_of_reading
from pagemill.engine.attempts import Attempts, PutBack
from pagemill.engine.item_result import item_result
from pagemill.engine.job_state import JobState
from pagemill.errors import (
    BrowserUnavailable,
    DeadlineExceeded,
    ItemError,
    PageLost,
    PagemillError,
    PatternTooSlow,
    TurnDenied,
    VisitGoesOn,
    VisitRefused,
    WorkerWornOut,
)
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.http_route import ProxyTurns
from pagemill.extraction.judge import judge_reading
from pagemill.extraction.strategy import Strategy, Visit
from pagemill.model import ItemResult, Judgement, Product, Verdict
from pagemill.pacing.stoppable_wait import sleep_unless
from pagemill.pacing.turns import Turn, Turns
from pagemill.revisit.visit_memory import Visited
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("lane")

_MAX_STEPS = 12
"""Steps of one attempt: more than a platform can have sources."""
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_GRACE_S = 5.0
"""How much longer than its own deadline a strategy may take before the lane cuts it off."""


@dataclass(frozen=True, slots=True)
class Stations:
    """Everything that lanes use to judge a product."""

    pool: BrowserPool
    turns: Turns
    artifacts: ArtifactStore
    strategies: Mapping[str, Strategy]
    """By platform name."""
    deliver: Callable[[ItemResult], None]
    """Takes a result, and returns at once."""
    worker: str
    broken_off: PutBack = field(default_factory=PutBack)
    proxies: ProxyTurns | None = None
    secrets: VisitorSecrets = field(default_factory=VisitorSecrets)
    """The visitors' passwords and sessions, for requests without a page."""


@dataclass(slots=True)
class _Item:
    """A product at work. Its time begins with its first turn."""

    product: Product
    attempts: Attempts
    visit: Visit | None = None
    """The next step of the attempt; `None` before an attempt begins."""
    steps: int = 0
    """Steps of the attempt so far."""
    was_slow: bool = False
    """Whether one of these steps ran into its time-out."""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_s: float = field(default_factory=time.monotonic)


class Lane:
    """One of the concurrent item loops of a batch."""

    def __init__(self, number: int, state: JobState, stations: Stations) -> None:
        self._number = number
        self._state = state
        self._stations = stations

    async def run(self) -> None:
        """Works until no product is left, or lanes must stop.

        Raises:
            BrowserUnavailable: no browser can be had; the product goes back to the batch.
        """
        state = self._state
        while (product := state.take()) is not None:
            try:
                result = await self._result_of(product)
            except TurnDenied:
                state.put_back(product)
                state.leave()
                return
            self._stations.deliver(result)
            state.done += 1
            if state.store is not None:
                await state.store()
            if state.platform.revisit.enabled:
                state.visited.append(Visited(product, result.verdict, result.facts))

    async def _result_of(self, product: Product) -> ItemResult:
        """Makes all attempts at one product, step by step, each step at a turn of its own.

        Raises:
            TurnDenied: lanes must stop, or the shop must be left alone for long, before the product is judged.
        """
        state, stations = self._state, self._stations
        item = None
        try:
            while True:
                soon_s = stations.pool.opening_s
                async with stations.turns.turn(
                    state.platform, self._number, state.stop, self._visit_soon, soon_s
                ) as turn:
                    item = item or self._item(product)
                    outcome = await self._step(item, turn)
                    if outcome is None:
                        continue
                    turn.answer = item.attempts.answer(outcome)
                if (judgement := item.attempts.judged(outcome)) is not None:
                    return self._result(item, judgement, outcome)
                item.visit = None
                await sleep_unless(state.stop, state.platform.retry.backoff_ms / 1000 * 2 ** (item.attempts.pauses - 1))
        except TurnDenied:
            if item is not None and not state.stop.is_set():
                stations.broken_off.keep(state.batch.run, product.id, item.attempts)
            raise

    def _visit_soon(self) -> None:
        """Has a page opened while the lane still waits."""
        if self._state.platform.extract.visits_pages:
            self._stations.pool.prepare(self._state.platform)

    def _item(self, product: Product) -> _Item:
        platform, batch = self._state.platform, self._state.batch
        broken_off = self._stations.broken_off.take(batch.run, product.id)
        return _Item(product, broken_off or Attempts(platform.retry.attempts, platform.judge.confirm))

    def _result(self, item: _Item, judgement: Judgement, outcome: AttemptOutcome) -> ItemResult:
        batch, attempts = self._state.batch, item.attempts.made
        log.info(
            events.ITEM,
            run=batch.run,
            product=item.product.id,
            verdict=judgement.verdict.value,
            reason=judgement.reason,
            attempts=attempts,
            ms=round((time.monotonic() - item.started_s) * 1000),
        )
        return item_result(
            batch,
            item.product,
            judgement,
            outcome.facts,
            self._stations.worker,
            attempts=attempts,
            started_at=item.started_at,
            final_url=outcome.final_url,
        )

    async def _step(self, item: _Item, turn: Turn) -> AttemptOutcome | None:
        """Makes one step of an attempt. Returns the attempt's outcome, or `None` if another step follows."""
        try:
            if item.visit is None:
                item.visit, item.steps, item.was_slow = self._first_step(item), 0, False
            outcome = await self._visit(item.visit, item.attempts, turn)
            return as_trouble(outcome) if item.was_slow else outcome
        except VisitGoesOn as error:
            assert item.visit is not None
            item.visit, item.steps = replace(item.visit, so_far=error.so_far), item.steps + 1
            if isinstance(error.failure, DeadlineExceeded):
                item.was_slow = True
                self._log_timeout(item.product, error.failure)
            if item.steps < _MAX_STEPS:
                return None
            return failure("the visit has more steps than its sources", retryable=False)
        except (BrowserUnavailable, TurnDenied):
            raise
        except PagemillError as error:
            if isinstance(error, DeadlineExceeded):
                self._log_timeout(item.product, error)
            return outcome_of_error(error)
        except Exception as error:  # the top of a lane: one product must not end the others
            if isinstance(error, OSError) and error.errno in _NO_DESCRIPTORS:  # the worker's fault, not the product's
                worn_out = WorkerWornOut(f"descriptors are used up: {error}")
                log.warning(events.WORKER_WORN_OUT, reason=str(worn_out))
                raise worn_out from error
            log.exception(events.UNEXPECTED, product=item.product.id)
            return failure(f"{type(error).__name__}: {error}"[:500], retryable=False)

    def _first_step(self, item: _Item) -> Visit:
        """The first step of an attempt. Only in the first attempt the strategy may take a short cut.

        Raises:
            ItemError: the catalogue's row has no URL that could be visited.
        """
        platform, product = self._state.platform, item.product
        try:
            names = platform.names_of(product.id, product.url)
        except PatternTooSlow as error:
            raise ItemError(f"product.id: {error}") from error
        if names is None:
            raise ItemError(
                f"product.id finds no id in the URL: correct product.id in {platform.platform}.yaml, or the row"
            )
        return Visit(
            url=platform.product.address_of(names),
            product=product,
            timeout_s=platform.navigation.timeout_ms / 1000,
            in_full=not item.attempts.is_first,
            names=names,
            proxies=self._stations.proxies,
            secrets=self._stations.secrets,
        )

    def _log_timeout(self, product: Product, error: DeadlineExceeded) -> None:
        log.warning(events.TIMEOUT, product=product.id, what=error.what, seconds=error.seconds)

    async def _visit(self, visit: Visit, attempts: Attempts, turn: Turn) -> AttemptOutcome:
        """Visits the shop, with a page or without, and judges the reading."""
        platform, stations = self._state.platform, self._stations
        strategy = stations.strategies[platform.platform]
        if not strategy.needs_page(visit):
            await turn.begin()
            reading = await within(visit.timeout_s + _GRACE_S, strategy.read(None, visit), "visit")
            judgement = judge_reading(visit.product, reading, platform.judge, visit.names)
            return outcome_of_reading(reading, judgement, is_stranger=True)
        fresh = turn.is_probe or not attempts.is_first
        async with stations.pool.lease(platform, fresh=fresh, stop=self._state.stop) as lease:
            await turn.begin()
            visit = replace(visit, news=lease.news, world=lease.world)
            try:
                reading = await within(visit.timeout_s + _GRACE_S, strategy.read(lease.page, visit), "visit")
            except VisitGoesOn as error:
                away = lease.strayed or (lease.refusal if error.failure is not None else None)
                if away is not None:
                    raise VisitRefused(f"the page led away: {away}") from error
                raise
            except (ItemError, DeadlineExceeded) as error:
                if (away := lease.strayed or lease.refusal) is not None:
                    raise VisitRefused(f"the page led away: {away}") from error
                if error.retryable:
                    lease.retire_context(type(error).__name__)
                if attempts.is_last and not isinstance(error, DeadlineExceeded | PageLost):
                    await self._keep_evidence(lease, visit.product)  # a page that does not answer has none
                raise
            if lease.strayed is not None:  # whatever was read
                raise VisitRefused(f"the page led away: {lease.strayed}")
            if reading.light:
                lease.mark_light()
            judgement = judge_reading(visit.product, reading, platform.judge, visit.names)
            if judgement.verdict is Verdict.FAILED:
                if lease.refusal is not None:
                    raise VisitRefused(f"the page led away: {lease.refusal}")
                if attempts.is_last:
                    await self._keep_evidence(lease, visit.product)
            if why := attempts.ends_context(judgement):
                lease.retire_context(why)
            return outcome_of_reading(reading, judgement, retry_after=lease.retry_after, is_stranger=lease.is_first)

    async def _keep_evidence(self, lease: Lease, product: Product) -> None:
        await self._stations.artifacts.capture(lease.page, (self._state.batch.run, product.id), lease.world)
