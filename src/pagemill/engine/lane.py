"""One lane: takes products one by one, waits its turn, visits, judges and hands the result on.

A bad product is a verdict, never an exception. What does leave a lane: cancellation, and a browser or a database that
cannot be had, because then no product could be judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pagemill.browser.lease import Lease
from pagemill.browser.pool import BrowserPool
from pagemill.deadlines import within
from pagemill.engine.item_result import item_result
from pagemill.engine.job_state import JobState
from pagemill.errors import (
    BrowserLost,
    BrowserUnavailable,
    DeadlineExceeded,
    FullVisitNeeded,
    ItemError,
    PageLost,
    PagemillError,
    TurnDenied,
    VisitRefused,
)
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.extraction.judge import judge
from pagemill.extraction.strategy import Strategy, Visit
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


@dataclass(frozen=True, slots=True)
class _Outcome:
    judgement: Judgement
    facts: Facts
    retryable: bool
    browser_lost: bool = False
    """The visit ended with its browser, most likely for another page's fault."""
    needs_full: bool = False
    """A short cut left the question open."""
    answer: Answer | None = None
    """How the shop took the visit; `None` when that is not known."""


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
        in_full = False
        while True:
            attempt += 1
            last = attempt - spared == platform.retry.attempts
            outcome = await self._attempt(product, last=last, in_full=in_full)
            if outcome.needs_full and not in_full:
                in_full = True
                attempt -= 1
                await self._stations.turns.wait(platform, self._number, self._state.stop)
                continue
            if outcome.answer is not None:
                await self._stations.turns.answered(platform, self._number, outcome.answer)
            if outcome.browser_lost and spared < _BROWSERS:
                spared += 1
            elif outcome.judgement.verdict is not Verdict.FAILED or last or not outcome.retryable:
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
        )

    async def _back_off(self, attempt: int) -> None:
        """Waits before the next attempt."""
        platform, stop = self._state.platform, self._state.stop
        await sleep_unless(stop, platform.retry.backoff_ms / 1000 * 2 ** (attempt - 1))
        await self._stations.turns.wait(platform, self._number, stop)

    async def _attempt(self, product: Product, *, last: bool, in_full: bool) -> _Outcome:
        try:
            return await self._visit(product, last=last, in_full=in_full)
        except (BrowserUnavailable, TurnDenied):
            raise
        except DeadlineExceeded as error:
            log.warning(events.TIMEOUT, product=product.id, what=error.what, seconds=error.seconds)
            return replace(_failure(str(error), retryable=True), answer=Answer(Welcome.TROUBLE))
        except FullVisitNeeded as error:
            return _Outcome(Judgement(Verdict.FAILED, str(error)), {}, retryable=True, needs_full=True)
        except PagemillError as error:
            return _failure(str(error), retryable=error.retryable, browser_lost=isinstance(error, BrowserLost))
        except Exception as error:  # the top of a lane: one product must not end the others
            log.exception(events.UNEXPECTED, product=product.id)
            return _failure(f"{type(error).__name__}: {error}"[:500], retryable=False)
        finally:
            self._stations.turns.visited(self._state.platform, self._number)

    async def _visit(self, product: Product, *, last: bool, in_full: bool) -> _Outcome:
        platform, stations = self._state.platform, self._stations
        strategy = stations.strategies[platform.platform]
        timeout_s = platform.navigation.timeout_ms / 1000
        async with stations.pool.lease(platform) as lease:
            await stations.turns.keep(platform, self._number, self._state.stop)
            visit = Visit(url=product.url, product=product, timeout_s=timeout_s, in_full=in_full)
            try:
                reading = await within(timeout_s + _GRACE_S, strategy.read(lease.page, visit), "visit")
            except (ItemError, DeadlineExceeded) as error:
                if lease.refusal is not None:
                    raise VisitRefused(f"the page led away: {lease.refusal}") from error
                if last and not isinstance(error, DeadlineExceeded | PageLost | FullVisitNeeded):
                    await self._keep_evidence(lease, product)  # a page that does not answer has none to give
                raise
            if reading.light:
                lease.mark_light()
            judgement = judge(product, reading, platform.judge)
            if judgement.verdict is Verdict.FAILED:
                if lease.refusal is not None:
                    raise VisitRefused(f"the page led away: {lease.refusal}")
                if last:
                    await self._keep_evidence(lease, product)
                lease.mark_bad("failed")
            answer = Answer(_welcome(judgement, reading), reading.status, reading.retry_after or lease.retry_after)
            return _Outcome(judgement, reading.facts, retryable=True, answer=answer)

    async def _keep_evidence(self, lease: Lease, product: Product) -> None:
        await self._stations.artifacts.capture(lease.page, (self._state.batch.run, product.id))


def _welcome(judgement: Judgement, reading: PageReading) -> Welcome:
    if judgement.verdict is Verdict.BLOCKED:
        return Welcome.BLOCKED
    return Welcome.TROUBLE if (reading.status or 0) >= _SERVER_ERROR else Welcome.GOOD


def _failure(reason: str, *, retryable: bool, browser_lost: bool = False) -> _Outcome:
    return _Outcome(Judgement(Verdict.FAILED, reason), {}, retryable, browser_lost)
