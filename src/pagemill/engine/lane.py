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
from pagemill.config.visitor_secrets import VisitorSecrets
from pagemill.deadlines import within
from pagemill.engine.confirming import Confirming
from pagemill.engine.item_result import item_result
from pagemill.engine.job_state import JobState
from pagemill.errors import (
    BrowserLost,
    BrowserUnavailable,
    DeadlineExceeded,
    ItemError,
    PageLost,
    PagemillError,
    ProxyFailed,
    TurnDenied,
    VisitGoesOn,
    VisitRefused,
)
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.judge import judge
from pagemill.extraction.strategy import Strategy, Visit
from pagemill.extraction.way_out import ProxyTurns
from pagemill.model import Facts, ItemResult, Judgement, PageReading, Product, Verdict
from pagemill.pacing.answer import Answer, Welcome
from pagemill.pacing.turns import Turns, sleep_unless
from pagemill.revisit.visit_memory import Visited
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("lane")

_BROWSERS = 3
"""How many browsers may go away under a product's visits before that counts as the product's own failure."""
_SERVER_ERROR = 500
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
    proxies: ProxyTurns | None = None
    secrets: VisitorSecrets = field(default_factory=VisitorSecrets)
    """What visitors need for requests without a page."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    judgement: Judgement
    facts: Facts
    retryable: bool
    browser_lost: bool = False
    """The visit ended with its browser or its proxy, most likely for another's fault."""
    answer: Answer | None = None
    """How the shop took the visit; `None` when that is not known."""
    final_url: str = ""
    """Where the visit ended."""


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
            TurnDenied: lanes must stop before it could be judged.
        """
        platform, batch = self._state.platform, self._state.batch
        started_at, started_s = datetime.now(UTC), time.monotonic()
        attempt = spared = 0
        confirming = Confirming(platform.judge.confirm)
        while True:
            attempt += 1
            last = attempt - spared >= platform.retry.attempts
            outcome = await self._attempt(product, first=attempt == 1, last=last, fresh=confirming.is_waiting)
            if outcome.answer is not None:
                await self._stations.turns.answered(platform, self._number, outcome.answer)
            if outcome.browser_lost and spared < _BROWSERS:
                spared += 1
            elif outcome.judgement.verdict is not Verdict.FAILED or last or not outcome.retryable:
                if confirming.believes(outcome.judgement):
                    break
                if last:
                    outcome = replace(outcome, judgement=confirming.disagreement(outcome.judgement))
                    break
            await self._back_off(max(1, attempt - spared))
        judgement = outcome.judgement
        log.info(
            events.ITEM,
            run=batch.run,
            product=product.id,
            verdict=judgement.verdict.value,
            reason=judgement.reason,
            attempts=attempt,
            ms=round((time.monotonic() - started_s) * 1000),
        )
        return item_result(
            batch,
            product,
            judgement,
            outcome.facts,
            self._stations.worker,
            attempts=attempt,
            started_at=started_at,
            final_url=outcome.final_url,
        )

    async def _back_off(self, attempt: int) -> None:
        """Waits before the next attempt."""
        platform, stop = self._state.platform, self._state.stop
        await sleep_unless(stop, platform.retry.backoff_ms / 1000 * 2 ** (attempt - 1))
        await self._stations.turns.wait(platform, self._number, stop)

    async def _attempt(self, product: Product, *, first: bool, last: bool, fresh: bool) -> _Outcome:
        """One attempt, with every step that it has; each waits for a turn of its own.

        Only the first may be cut short.
        """
        platform = self._state.platform
        names = platform.names_of(product.id, product.url)
        if names is None:
            reason = f"product.id finds no id in the URL: correct product.id in {platform.platform}.yaml, or the row"
            return _failure(reason, retryable=False)
        visit = Visit(
            url=platform.product.address_of(names),
            product=product,
            timeout_s=platform.navigation.timeout_ms / 1000,
            in_full=not first,
            names=names,
            proxies=self._stations.proxies,
            secrets=self._stations.secrets,
        )
        was_slow = False
        for _ in range(_MAX_STEPS):
            try:
                outcome = await self._visit(visit, last=last, fresh=fresh)
                return _as_trouble(outcome) if was_slow else outcome
            except VisitGoesOn as error:
                visit = replace(visit, so_far=error.so_far)
                if isinstance(failure := error.failure, DeadlineExceeded):
                    was_slow = True
                    log.warning(events.TIMEOUT, product=product.id, what=failure.what, seconds=failure.seconds)
            except (BrowserUnavailable, TurnDenied):
                raise
            except DeadlineExceeded as error:
                log.warning(events.TIMEOUT, product=product.id, what=error.what, seconds=error.seconds)
                return replace(_failure(str(error), retryable=True), answer=Answer(Welcome.TROUBLE))
            except PagemillError as error:
                is_spared = isinstance(error, BrowserLost) or (isinstance(error, ProxyFailed) and error.others)
                return _failure(str(error), retryable=error.retryable, browser_lost=is_spared)
            except Exception as error:  # the top of a lane: one product must not end the others
                log.exception(events.UNEXPECTED, product=product.id)
                return _failure(f"{type(error).__name__}: {error}"[:500], retryable=False)
            finally:
                self._stations.turns.visited(platform, self._number)
            await self._stations.turns.wait(platform, self._number, self._state.stop)
        return _failure("the visit has more steps than its sources", retryable=False)

    async def _visit(self, visit: Visit, *, last: bool, fresh: bool) -> _Outcome:
        """One step of an attempt."""
        platform, stations = self._state.platform, self._stations
        strategy = stations.strategies[platform.platform]
        if not strategy.needs_page(visit):
            await stations.turns.keep(platform, self._number, self._state.stop)
            reading = await within(visit.timeout_s + _GRACE_S, strategy.read(None, visit), "visit")
            return self._outcome(visit, reading, judge(visit.product, reading, platform.judge, visit.names))
        async with stations.pool.lease(platform, fresh=fresh) as lease:
            await stations.turns.keep(platform, self._number, self._state.stop)
            visit = replace(visit, news=lease.news)
            try:
                reading = await within(visit.timeout_s + _GRACE_S, strategy.read(lease.page, visit), "visit")
            except VisitGoesOn as error:
                if error.failure is not None and lease.refusal is not None:
                    raise VisitRefused(f"the page led away: {lease.refusal}") from error
                raise
            except (ItemError, DeadlineExceeded) as error:
                if lease.refusal is not None:
                    raise VisitRefused(f"the page led away: {lease.refusal}") from error
                if last and not isinstance(error, DeadlineExceeded | PageLost):
                    await self._keep_evidence(lease, visit.product)  # a page that does not answer has none to give
                raise
            if reading.light:
                lease.mark_light()
            judgement = judge(visit.product, reading, platform.judge, visit.names)
            if judgement.verdict is Verdict.FAILED:
                if lease.refusal is not None:
                    raise VisitRefused(f"the page led away: {lease.refusal}")
                if last:
                    await self._keep_evidence(lease, visit.product)
                lease.mark_bad("failed")
            return self._outcome(visit, reading, judgement, lease.retry_after)

    def _outcome(self, visit: Visit, reading: PageReading, judgement: Judgement, retry_after: str = "") -> _Outcome:
        status = reading.status if reading.refused is None else reading.refused
        answer = Answer(_welcome(judgement, reading), status, reading.retry_after or retry_after)
        return _Outcome(judgement, reading.facts, retryable=True, answer=answer, final_url=reading.url)

    async def _keep_evidence(self, lease: Lease, product: Product) -> None:
        await self._stations.artifacts.capture(lease.page, (self._state.batch.run, product.id))


def _welcome(judgement: Judgement, reading: PageReading) -> Welcome:
    if judgement.verdict is Verdict.BLOCKED:
        return Welcome.BLOCKED
    return Welcome.TROUBLE if (reading.status or 0) >= _SERVER_ERROR else Welcome.GOOD


def _as_trouble(outcome: _Outcome) -> _Outcome:
    """The outcome, as the shop's pace is told of it when a step before it ran into its time-out."""
    if outcome.answer is None or outcome.answer.welcome is not Welcome.GOOD:
        return outcome
    return replace(outcome, answer=replace(outcome.answer, welcome=Welcome.TROUBLE))


def _failure(reason: str, *, retryable: bool, browser_lost: bool = False) -> _Outcome:
    return _Outcome(Judgement(Verdict.FAILED, reason), {}, retryable, browser_lost)
