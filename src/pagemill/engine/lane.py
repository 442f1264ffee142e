"""One lane: takes products one by one, waits its turn, visits, judges and hands the result on.

A bad product is a verdict, never an exception. What does leave a lane: cancellation, and a browser or a database that
cannot be had, because then no product could be judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pagemill.browser.lease import Lease
from pagemill.browser.pool import BrowserPool
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.deadlines import within
from pagemill.engine.attempts import Attempts, BrokenOff
from pagemill.engine.item_result import item_result
from pagemill.engine.job_state import JobState
from pagemill.engine.outcome import Outcome, as_trouble, failure, outcome_of
from pagemill.errors import (
    BrowserLost,
    BrowserUnavailable,
    DeadlineExceeded,
    ItemError,
    PageLost,
    PagemillError,
    PatternTooSlow,
    ProxyFailed,
    TurnDenied,
    VisitGoesOn,
    VisitRefused,
)
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.judge import judge
from pagemill.extraction.strategy import Strategy, Visit
from pagemill.extraction.way_out import ProxyTurns
from pagemill.model import ItemResult, Product, Verdict
from pagemill.pacing.answer import Answer, Welcome
from pagemill.pacing.turns import Turns, sleep_unless
from pagemill.revisit.visit_memory import Visited
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("lane")

_MAX_STEPS = 12
"""Steps of one attempt: more than a platform has sources."""
_GRACE_S = 5.0
"""How much longer than its own deadline a strategy may take before it is cut off from outside."""


@dataclass(frozen=True, slots=True)
class Stations:
    """What a lane needs on a product's way."""

    pool: BrowserPool
    turns: Turns
    artifacts: ArtifactStore
    strategies: Mapping[str, Strategy]
    """By platform name."""
    deliver: Callable[[ItemResult], None]
    """Takes a result over; it returns at once."""
    worker: str
    broken_off: BrokenOff = field(default_factory=BrokenOff)
    proxies: ProxyTurns | None = None
    secrets: VisitorSecrets = field(default_factory=VisitorSecrets)
    """What visitors need for requests without a page."""


class Lane:
    """One of the concurrent item loops of a batch."""

    def __init__(self, number: int, state: JobState, stations: Stations) -> None:
        self._number = number
        self._state = state
        self._stations = stations

    async def run(self) -> None:
        """Works until no product is left, lanes must stop, or fewer of them may work.

        Raises:
            BrowserUnavailable: no browser can be had; the product goes back to the batch.
        """
        state = self._state
        while self._number < state.width and (product := state.take()) is not None:
            try:
                await self._stations.turns.wait(state.platform, self._number, state.stop)
                if self._number >= state.width:  # fewer lanes may work than when the wait began
                    state.put_back(product)
                    return
                result = await self._item(product)
            except TurnDenied:
                state.put_back(product)
                state.leave()
                return
            self._stations.deliver(result)
            state.done += 1
            if state.platform.revisit.enabled:
                state.visited.append(Visited(product, result.verdict, result.facts))

    async def _item(self, product: Product) -> ItemResult:
        """All attempts at one product.

        Raises:
            TurnDenied: lanes must stop, or the shop is left alone for long, before it could be judged.
        """
        state, stations = self._state, self._stations
        platform, batch = state.platform, state.batch
        started_at, started_s = datetime.now(UTC), time.monotonic()
        attempts = stations.broken_off.take(batch.run, product.id)
        attempts = attempts or Attempts(platform.retry.attempts, platform.judge.confirm)
        try:
            while True:
                outcome = await self._attempt(product, attempts)
                if (answer := attempts.answer(outcome)) is not None:
                    await stations.turns.answered(platform, self._number, answer)
                if (judgement := attempts.judged(outcome)) is not None:
                    break
                await self._back_off(attempts.pauses)
        except TurnDenied:
            if not state.stop.is_set():
                stations.broken_off.keep(batch.run, product.id, attempts)
            raise
        log.info(
            events.ITEM,
            run=batch.run,
            product=product.id,
            verdict=judgement.verdict.value,
            reason=judgement.reason,
            attempts=attempts.made,
            ms=round((time.monotonic() - started_s) * 1000),
        )
        return item_result(
            batch,
            product,
            judgement,
            outcome.facts,
            stations.worker,
            attempts=attempts.made,
            started_at=started_at,
            final_url=outcome.final_url,
        )

    async def _back_off(self, attempt: int) -> None:
        """Waits before the next attempt."""
        platform, stop = self._state.platform, self._state.stop
        await sleep_unless(stop, platform.retry.backoff_ms / 1000 * 2 ** (attempt - 1))
        await self._stations.turns.wait(platform, self._number, stop)

    async def _attempt(self, product: Product, attempts: Attempts) -> Outcome:
        """One attempt, with every step that it has; each waits for a turn of its own.

        Only the first may be cut short.
        """
        platform = self._state.platform
        try:
            names = platform.names_of(product.id, product.url)
        except PatternTooSlow as error:
            return failure(f"product.id: {error}", retryable=False)
        if names is None:
            reason = f"product.id finds no id in the URL: correct product.id in {platform.platform}.yaml, or the row"
            return failure(reason, retryable=False)
        visit = Visit(
            url=platform.product.address_of(names),
            product=product,
            timeout_s=platform.navigation.timeout_ms / 1000,
            in_full=not attempts.is_first,
            names=names,
            proxies=self._stations.proxies,
            secrets=self._stations.secrets,
        )
        was_slow = False
        for _ in range(_MAX_STEPS):
            try:
                outcome = await self._visit(visit, attempts)
                return as_trouble(outcome) if was_slow else outcome
            except VisitGoesOn as error:
                visit = replace(visit, so_far=error.so_far)
                if isinstance(error.failure, DeadlineExceeded):
                    was_slow = True
                    self._log_timeout(product, error.failure)
            except (BrowserUnavailable, TurnDenied):
                raise
            except DeadlineExceeded as error:
                self._log_timeout(product, error)
                return failure(str(error), retryable=True, answer=Answer(Welcome.TROUBLE))
            except PagemillError as error:
                is_spared = isinstance(error, BrowserLost) or (isinstance(error, ProxyFailed) and error.others)
                return failure(str(error), retryable=error.retryable, browser_lost=is_spared)
            except Exception as error:  # the top of a lane: one product must not end the others
                log.exception(events.UNEXPECTED, product=product.id)
                return failure(f"{type(error).__name__}: {error}"[:500], retryable=False)
            finally:
                self._stations.turns.visited(platform, self._number)
            await self._stations.turns.wait(platform, self._number, self._state.stop)
        return failure("the visit has more steps than its sources", retryable=False)

    def _log_timeout(self, product: Product, error: DeadlineExceeded) -> None:
        log.warning(events.TIMEOUT, product=product.id, what=error.what, seconds=error.seconds)

    async def _visit(self, visit: Visit, attempts: Attempts) -> Outcome:
        """One step of an attempt."""
        platform, stations = self._state.platform, self._stations
        strategy = stations.strategies[platform.platform]
        if not strategy.needs_page(visit):
            await stations.turns.keep(platform, self._number, self._state.stop)
            reading = await within(visit.timeout_s + _GRACE_S, strategy.read(None, visit), "visit")
            judgement = judge(visit.product, reading, platform.judge, visit.names)
            return outcome_of(reading, judgement, is_stranger=True)
        fresh = not attempts.is_first or stations.turns.is_probe(platform, self._number)
        async with stations.pool.lease(platform, fresh=fresh, stop=self._state.stop) as lease:
            await stations.turns.keep(platform, self._number, self._state.stop)
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
                    await self._keep_evidence(lease, visit.product)  # a page that does not answer has none to give
                raise
            if lease.strayed is not None:  # whatever was read
                raise VisitRefused(f"the page led away: {lease.strayed}")
            if reading.light:
                lease.mark_light()
            judgement = judge(visit.product, reading, platform.judge, visit.names)
            if judgement.verdict is Verdict.FAILED:
                if lease.refusal is not None:
                    raise VisitRefused(f"the page led away: {lease.refusal}")
                if attempts.is_last:
                    await self._keep_evidence(lease, visit.product)
            if why := attempts.ends_context(judgement):
                lease.retire_context(why)
            return outcome_of(reading, judgement, retry_after=lease.retry_after, is_stranger=lease.is_first)

    async def _keep_evidence(self, lease: Lease, product: Product) -> None:
        await self._stations.artifacts.capture(lease.page, (self._state.batch.run, product.id), lease.world)
