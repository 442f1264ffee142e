"""One visit of a product's page for all sources that read it: navigate once, wait, and read everything in one look.

Meanwhile it waits for answers that the page fetches, for each source up to its own time. `sources` puts together what
the sources say; `judge` interprets it.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pagemill.config.platform import Platform
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded, StepFailed
from pagemill.extraction.api_capture import CaptureSource
from pagemill.extraction.awaited_answers import AwaitedAnswers, hunting
from pagemill.extraction.dom import DomSource
from pagemill.extraction.frames import with_frames
from pagemill.extraction.identity import Identity, is_elsewhere
from pagemill.extraction.jsonld import JsonLdSource
from pagemill.extraction.navigate import navigate, translate
from pagemill.extraction.page_news_port import News
from pagemill.extraction.page_reader import watch_page, with_margin
from pagemill.extraction.page_spec import MAX_URL
from pagemill.extraction.script_world import PageWorld, World
from pagemill.extraction.scripts.watch_script import STOP_SCRIPT
from pagemill.extraction.sighting import Sighting
from pagemill.extraction.signs import is_dialog_sign, is_url_sign
from pagemill.extraction.source_told import SourcesTold, error_paths
from pagemill.extraction.state import StateSource
from pagemill.extraction.steps import StepsTaken
from pagemill.extraction.structured import StructuredSource
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit
from pagemill.extraction.watch_plan import WatchPlan
from pagemill.model import StepTold
from pagemill.playwright_errors import PlaywrightError

if TYPE_CHECKING:
    from playwright.async_api import Page

_STEP = "waiting for the content"
_STOP_TIMEOUT_S = 2.0
_AGAIN_S = 0.2
"""The shortest time in which a second look at a page is worth it."""
_SIGNS_S = 1.5
"""How long a page is searched for a sign after a step has failed in it."""


@dataclass(frozen=True, slots=True)
class PageSeen:
    """How a visit of a page ended, apart from what its sources have said."""

    status: int | None
    url: str
    ready: bool = False
    texts: tuple[str, ...] = ()
    texts_in: tuple[tuple[str, str], ...] = ()
    selectors: tuple[str, ...] = ()
    dialogs: tuple[str, ...] = ()
    steps: tuple[StepTold, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One visit: what it shall bring back, and its time budget."""

    page: Page
    visit: Visit
    budget: TimeBudget
    status: int | None
    wanted: frozenset[str]
    before: SourcesTold
    """What was said before the visit began."""
    identity: Identity
    is_end: Callable[[str], bool]
    """Whether a document at that address has nothing to say of the product, so that waiting for it is useless."""


class PageVisit:
    """Reads everything that a platform's sources want of a page."""

    def __init__(self, platform: Platform) -> None:
        plan = WatchPlan()
        self._platform = platform
        self._judge = platform.judge
        self._landing = [UrlPattern(pattern) for pattern in platform.judge.landing]
        self._doms: list[DomSource] = []
        self._states: list[StateSource] = []
        self._structured: list[StructuredSource | JsonLdSource] = []
        self._captures: dict[int, CaptureSource] = {}
        self._positions: dict[str, set[int]] = {}
        for position, source in enumerate(platform.extract.sources):
            for name in source.fields:
                self._positions.setdefault(name, set()).add(position)
            match source.strategy:
                case "dom" | "in_page_fetch":
                    self._doms.append(DomSource(source, position, plan))
                case "state":
                    self._states.append(StateSource(source, position, plan))
                case "structured":
                    self._structured.append(StructuredSource(source, position, plan))
                case "jsonld":
                    self._structured.append(JsonLdSource(source, position, plan))
                case "api_capture":
                    self._captures[position] = CaptureSource(source, position)
        self._watch = plan.watch(platform)
        self._rules = platform.host_rules()
        self._error_paths = error_paths(platform.judge)
        self._in_document = frozenset(
            position for position, source in enumerate(platform.extract.sources) if source.kind.page
        ) - set(self._captures)

    async def read(self, page: Page, visit: Visit, told: SourcesTold, wanted: frozenset[str]) -> PageSeen:
        """Visits the page, and adds to `told` what its sources say.

        Args:
            page: any page; `visit.news` tells what it fetches and which dialogs it opens.
            visit: where to go, and for how long.
            told: what the sources have said so far.
            wanted: the fields by which the product is judged. A page that does not say them at once gets time to
                settle.

        Raises:
            DeadlineExceeded, VisitRefused, VisitFailed, PageLost: as `page_reader.visit_page`.
            StepFailed: a step before reading could not be done, and no sign in the page says why.
        """
        budget = TimeBudget(visit.timeout_s)
        status = await _arrive(page, visit)
        if self._watch.is_settled_by(status):
            return PageSeen(status, page.url[:MAX_URL])
        identity = Identity.of(visit.names, visit.url)
        asked = _Asked(page, visit, budget, status, wanted, told.copy(), identity, self._end_of(visit, identity))
        taken = StepsTaken(page, visit, budget)
        try:
            await taken.take(self._platform.steps)
        except StepFailed as failure:
            seen = await self._why(asked, failure)
            return replace(_page_seen(seen, visit, None), steps=tuple(taken.told))
        seen, hunt = await self._look(asked)
        seen = await with_frames(page, visit, self._watch, seen, budget, self._rules)
        refused = self._tell(asked, seen, hunt, told)
        if self._is_early(asked, seen, told):
            told.take(asked.before.copy())
            seen = await self._watched(asked, thorough=True)
            seen = await with_frames(page, visit, self._watch, seen, budget, self._rules)
            refused = self._tell(asked, seen, hunt, told)
        return replace(_page_seen(seen, visit, self._ending(refused)), steps=tuple(taken.told))

    async def _why(self, asked: _Asked, failure: StepFailed) -> Sighting:
        """What settles the verdict after a step has failed, because a page that is gone or blocked has no buttons.

        Raises:
            StepFailed: the same error, if nothing settles it.
        """
        try:
            soon = TimeBudget(min(_SIGNS_S, asked.budget.left_s(_STEP)))
            seen = await self._watched(replace(asked, budget=soon))
        except DeadlineExceeded:
            raise failure from None
        if not (self._is_decided(asked, seen) or self._met_dialog_sign(asked.visit.news)):
            raise failure
        return seen

    async def _watched(self, asked: _Asked, stop: str = "", *, thorough: bool = False) -> Sighting:
        """What the document shows, as soon as it shows enough."""
        return await watch_page(
            asked.page,
            self._watch,
            asked.budget.left_s(_STEP),
            asked.status,
            stop,
            world=asked.visit.world,
            address=asked.visit.url,
            refresh="" if asked.visit.news is None else asked.visit.news.refresh,
            is_end=asked.is_end,
            explain=asked.visit.explain,
            thorough=thorough,
            shown=bool(self._platform.steps) and self._watch.ready is not None,
        )

    async def _look(self, asked: _Asked) -> tuple[Sighting, AwaitedAnswers]:
        """The document and the answers that came meanwhile, as soon as one of them settles the visit."""
        if not (self._captures or self._has_dialog_signs):
            return await self._watched(asked), AwaitedAnswers()
        budget, page = asked.budget, asked.page
        async with hunting(self._captures, asked.visit, asked.identity, with_margin(budget.left_s(_STEP))) as hunt:
            dialog = asyncio.create_task(self._dialog_sign(asked.visit.news))
            stop = f"pagemill-{secrets.token_hex(4)}"
            watching = asyncio.create_task(self._watched(asked, stop))
            try:
                while True:
                    others = hunt.pending | ({dialog} if not dialog.done() else set())
                    await asyncio.wait({watching, *others}, return_when=asyncio.FIRST_COMPLETED)
                    if dialog.done():  # the dialog settles it, and the page may have moved on
                        return Sighting(asked.status, page.url[:MAX_URL]), hunt
                    if not watching.done():
                        is_all = not hunt.pending and not self._waits
                        if not (is_all or self._is_enough(asked, None, hunt)):
                            continue
                        stop_s = min(_STOP_TIMEOUT_S, budget.left_s(_STEP) + _AGAIN_S)
                        await _stop(asked.visit.world or PageWorld(page), stop, stop_s)
                        return await within(stop_s, asyncio.shield(watching), _STEP), hunt
                    seen = watching.result()
                    if self._is_decided(asked, seen) or self._is_enough(asked, seen, hunt):
                        return seen, hunt
                    if not hunt.pending:
                        return seen, hunt
                    await asyncio.wait({dialog, *hunt.pending}, return_when=asyncio.FIRST_COMPLETED)
                    if hunt.pending or dialog.done() or self._is_enough(asked, seen, hunt):
                        continue
                    # The page was seen before the last wait for an answer ended, and may have more by now.
                    if not budget.has_left(_AGAIN_S):
                        return seen, hunt
                    return await self._watched(asked), hunt
            finally:
                for task in (watching, dialog):
                    task.cancel()
                await asyncio.gather(watching, dialog, return_exceptions=True)

    def _end_of(self, visit: Visit, identity: Identity) -> Callable[[str], bool]:
        allowed = [pattern.filled(visit.names) for pattern in self._landing]

        @functools.cache
        def is_end(url: str) -> bool:
            return is_url_sign(self._watch.urls, visit.url, url) or is_elsewhere(identity, visit.url, url, allowed)

        return is_end

    def _is_enough(self, asked: _Asked, seen: Sighting | None, hunt: AwaitedAnswers) -> bool:
        """Whether everything that is wanted was said, and no source that is still silent would be believed instead.
        Without `seen`, the document is still silent too."""
        if asked.visit.explain or not (seen is None or seen.ready):
            return False
        silent = {hunt.positions[task] for task in hunt.pending} | (self._in_document if seen is None else set())
        told, heard = asked.before.copy(), hunt.settled()
        if seen is None:
            heard.tell(told, self._error_paths)
        else:
            self._tell(asked, seen, heard, told)
        for name in asked.wanted:
            said = told.first(name)
            silent_here = self._positions.get(name, set()) & silent
            if said is None or any(position < said.source or said.state == "default" for position in silent_here):
                return False
        return bool(asked.wanted) and any(entry.state == "said" for entries in told.told.values() for entry in entries)

    def _is_decided(self, asked: _Asked, seen: Sighting) -> bool:
        """Whether the document alone settles the verdict, whatever the answers say."""
        ending = {search.text for search in self._watch.searches if search.ends}
        if ending & {*seen.texts, *(text for _within, text in seen.texts_in)}:
            return True
        if {selector for selector, ends in self._watch.signs if ends} & set(seen.selectors):
            return True
        return (seen.status or 0) >= 400 or asked.is_end(seen.url)

    def _is_early(self, asked: _Asked, seen: Sighting, told: SourcesTold) -> bool:
        """Whether something that is wanted is missing and the page may still say it."""
        if not seen.ready or seen.settled or self._watch.ready is not None:
            return False
        facts, _defaults = told.facts(self._platform.extract)
        return asked.visit.explain or any(facts.get(name) is None for name in asked.wanted)

    def _ending(self, refused: list[int]) -> int | None:
        """The status of an answer that stands for the document's, if there is one."""
        return next((status for status in reversed(refused) if status in self._watch.end_statuses), None)

    def _tell(self, asked: _Asked, seen: Sighting, hunt: AwaitedAnswers, told: SourcesTold) -> list[int]:
        """Adds what every source says. Returns the statuses of answers that refused."""
        if asked.is_end(seen.url):
            return []  # what stands there is not this product's
        if seen.raw or seen.states or seen.structured is not None:
            for dom in self._doms:
                told.add(dom.tell(seen))
            for state in self._states:
                state.tell(seen, told, self._error_paths, asked.identity)
            for structured in self._structured:
                structured.tell(seen, told, asked.visit.url)
        return hunt.tell(told, self._error_paths, seen.requests)

    @property
    def _waits(self) -> bool:
        """Whether anything but an answer or a sign is waited for."""
        return self._watch.ready is not None or bool(self._watch.wants)

    @property
    def _has_dialog_signs(self) -> bool:
        return any(signs.dialog for signs in self._judge.by_verdict.values())

    async def _dialog_sign(self, news: News | None) -> None:
        """Returns when a dialog has opened that settles the verdict; never if none does."""
        if news is None:
            await asyncio.Event().wait()
            return
        while not self._met_dialog_sign(news):
            await news.wait()

    def _met_dialog_sign(self, news: News | None) -> bool:
        every = self._judge.by_verdict.values()
        return news is not None and any(is_dialog_sign(signs, news.dialogs) for signs in every)


async def _stop(world: World, stop: str, timeout_s: float) -> None:
    for last in (False, False, True):
        try:
            await within(timeout_s, world.evaluate(STOP_SCRIPT, stop), _STEP)
        except PlaywrightError as error:
            if last or "Execution context was destroyed" not in error.message:
                raise translate(error, _STEP) from error
        else:
            return


async def _arrive(page: Page, visit: Visit) -> int | None:
    """Sends the page to the product, unless it is there. Returns the HTTP status of its document."""
    if visit.arrival is not None:
        return visit.arrival.status
    status = await navigate(page, visit.url, visit.timeout_s)
    if visit.news is not None:
        visit.news.arrived()
    return status


def _page_seen(seen: Sighting, visit: Visit, ending: int | None) -> PageSeen:
    dialogs = () if visit.news is None else visit.news.dialogs
    ended = PageSeen(seen.status, seen.url, seen.ready, seen.texts, seen.texts_in, seen.selectors, dialogs)
    return ended if ending is None else replace(ended, status=ending, ready=False)
