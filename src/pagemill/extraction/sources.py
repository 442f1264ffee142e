"""A platform's sources as one strategy: asked in their order of preference, combined field by field.

A visit has steps: a request without any page (`http`), or one visit of the page for all sources that read it. After
each step it is judged whether another one is needed. Each step waits for its own turn at the shop, so a strategy that
is not done raises `VisitGoesOn` and is called again with what it has so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pagemill.config.platform import Platform
from pagemill.config.reading.judge import Judge
from pagemill.errors import (
    BrowserLost,
    DeadlineExceeded,
    FullVisitNeeded,
    ItemError,
    PageLost,
    VisitFailed,
    VisitGoesOn,
)
from pagemill.extraction.http import HttpAnswer, HttpSource
from pagemill.extraction.in_page_fetch import InPageFetch
from pagemill.extraction.judge import is_blocked, judge_reading
from pagemill.extraction.page_visit import PageSeen, PageVisit
from pagemill.extraction.source_told import SourcesTold, error_paths
from pagemill.extraction.visit import Visit
from pagemill.model import PageReading, Product, Verdict

if TYPE_CHECKING:
    from playwright.async_api import Page

_PAGE = -1
"""The step that visits the page; other steps are positions of sources."""


@dataclass(slots=True)
class Progress:
    """What earlier steps of one attempt have found out."""

    step: int = 0
    in_full: bool = False
    told: SourcesTold = field(default_factory=SourcesTold)
    answer: HttpAnswer | None = None
    page: PageSeen | None = None
    retry_after: str = ""
    refused: int | None = None
    failure: ItemError | DeadlineExceeded | None = None


class SourcesStrategy:
    """Reads every field of a platform from its sources."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._judge = platform.judge
        self._extract = platform.extract
        self._https = {
            position: HttpSource(source, position, platform)
            for position, source in enumerate(platform.extract.sources)
            if source.strategy == "http"
        }
        self._steps = _steps(platform)
        self._page_visit = PageVisit(platform) if platform.extract.visits_pages else None
        fetching = next((source for source in platform.extract.sources if source.strategy == "in_page_fetch"), None)
        self._fetch = None if fetching is None else InPageFetch(platform, fetching)
        self._error_paths = error_paths(platform.judge)
        self._judged = _judged_fields(platform)
        self._in_page = frozenset(at for at, source in enumerate(platform.extract.sources) if source.kind.page)

    def needs_page(self, visit: Visit) -> bool:
        """Whether the next step of a visit needs a page."""
        return self._steps[_progress(visit).step] == _PAGE

    async def read(self, page: Page | None, visit: Visit) -> PageReading:
        """See `Strategy.read`. The page may be `None` where none is needed."""
        progress = _progress(visit)
        step = self._steps[progress.step]
        wanted = self._wanted(visit.product)
        is_last = progress.step + 1 == len(self._steps)
        failure: ItemError | DeadlineExceeded | None = None
        if step == _PAGE:
            assert page is not None and self._page_visit is not None
            try:
                light = await self._read_page(page, visit, progress, wanted)
            except (VisitFailed, PageLost, DeadlineExceeded) as error:
                if is_last or isinstance(error, BrowserLost):
                    raise
                progress.told.troubles.append(f"page: {error}")
                failure, light = error, None
            if light is not None:
                return light
        else:
            await self._ask(self._https[step], visit, progress)
        reading = self._reading(visit, progress)
        still = self._fields_behind(progress.step)
        if not is_last and (visit.explain or not self._is_done(visit, reading, wanted, still)):
            so_far = replace(progress, step=progress.step + 1)
            raise VisitGoesOn(_why(reading), so_far, light=step != _PAGE, failure=failure)
        if progress.failure is not None and reading.status is None:
            raise progress.failure
        return reading

    def close(self) -> None:
        """Closes the HTTP connections."""
        for source in self._https.values():
            source.close()

    async def _ask(self, source: HttpSource, visit: Visit, progress: Progress) -> None:
        try:
            answer = await source.ask(visit)
        except (ItemError, DeadlineExceeded) as error:
            source.tell_failure(error, progress.told)
            progress.failure = error
            return
        progress.failure = None
        progress.retry_after = progress.retry_after or answer.retry_after
        if answer.status in self._judge.blocked.status:
            progress.refused = answer.status
        # An error at one of the shop's addresses does not make a product gone: an answer from another one replaces it.
        if progress.answer is None or progress.answer.status >= 400:
            progress.answer = answer
        source.tell(answer, progress.told, self._error_paths)

    async def _read_page(
        self, page: Page, visit: Visit, progress: Progress, wanted: frozenset[str]
    ) -> PageReading | None:
        """Adds the page's part to the progress. Returns a whole reading if a request within the page was enough."""
        assert self._page_visit is not None
        if self._fetch is None:
            progress.page = await self._page_visit.read(page, visit, progress.told, wanted)
            return None

        async def read_in_full(timeout_s: float) -> PageReading:
            within_time = replace(visit, timeout_s=timeout_s)
            assert self._page_visit is not None
            progress.page = await self._page_visit.read(page, within_time, progress.told, wanted)
            return self._reading(visit, progress)

        in_full = visit.in_full or progress.in_full
        try:
            judged_by = self._judged_by(visit.product)
            light = await self._fetch.read(page, visit, judged_by, read_in_full, in_full=in_full)
        except FullVisitNeeded as error:
            raise VisitGoesOn(str(error), replace(progress, in_full=True), light=True) from error
        if not light.light:
            return None
        retry_after = progress.retry_after or light.retry_after
        return replace(light, retry_after=retry_after, refused=progress.refused, requests=tuple(progress.told.requests))

    def _wanted(self, product: Product) -> frozenset[str]:
        """The fields for which all sources are asked if needed: those that are judged; all if nothing is expected."""
        is_expected = any(product.expected.get(name) is not None for name in self._extract.fields)
        return self._judged_by(product) if is_expected else frozenset(self._extract.fields)

    def _judged_by(self, product: Product) -> frozenset[str]:
        """The fields without which the product cannot be judged."""
        expected = {name for name, value in product.expected.items() if value is not None}
        return frozenset(expected & self._extract.fields.keys()) | self._judged

    def _fields_behind(self, step: int) -> frozenset[str]:
        """The fields that later steps may say."""
        sources = self._extract.sources
        return frozenset(
            name
            for later in self._steps[step + 1 :]
            for at, source in enumerate(sources)
            if at == later or (later == _PAGE and source.kind.page)
            for name in source.fields
        )

    def _is_done(self, visit: Visit, reading: PageReading, wanted: frozenset[str], still: frozenset[str]) -> bool:
        """Whether no further source could improve the verdict. `still` are the fields that later sources have: an
        `else` of such a field may yet be replaced."""
        open_ones = {
            name
            for name in reading.defaults & wanted & still
            if not any(one.state == "absent" for one in reading.told.get(name, ()))
        }
        reading = replace(reading, facts={**reading.facts, **dict.fromkeys(open_ones)})
        verdict = judge_reading(visit.product, reading, self._judge, visit.names or None).verdict
        if verdict in (Verdict.FAILED, Verdict.BLOCKED):
            return False
        if verdict in (Verdict.GONE, Verdict.OFF_SALE, Verdict.SOLD_OUT):
            return True
        return all(reading.facts.get(name) is not None for name in wanted)

    def _reading(self, visit: Visit, progress: Progress) -> PageReading:
        """The reading of all steps so far. The page's status and address count before those of an answer, unless the
        page failed or was refused."""
        page, answer = progress.page, progress.answer
        reading = self._said(visit, progress, progress.told)
        if page is None:
            return reading if answer is None else _of_answer(reading, answer)
        of_page = _of_page(reading, page, visit)
        if answer is None or answer.status >= 400:
            return of_page
        refused = is_blocked(of_page, self._judge)
        if refused or (of_page.status or 0) >= 400:
            # A page that refuses speaks of itself: a challenge has a heading too.
            of_answer = _of_answer(self._said(visit, progress, progress.told.without(self._in_page)), answer)
            return replace(of_answer, refused=of_page.status if refused else reading.refused)
        return of_page

    def _said(self, visit: Visit, progress: Progress, told: SourcesTold) -> PageReading:
        """What the sources have said, without the status and address with which the visit ended."""
        facts, defaults = told.facts(self._extract)
        return PageReading(
            status=None,
            url=visit.url,
            facts=facts,
            errors=tuple(told.errors),
            defaults=defaults,
            told=told.ordered(),
            troubles=tuple(dict.fromkeys(told.troubles)),
            requests=tuple(told.requests),
            retry_after=progress.retry_after,
            refused=progress.refused,
        )


def _of_answer(reading: PageReading, answer: HttpAnswer) -> PageReading:
    return replace(reading, status=answer.status, url=answer.url, asked=answer.asked)


def _of_page(reading: PageReading, page: PageSeen, visit: Visit) -> PageReading:
    """The reading with the end of the page's visit. Facts from answers count even if the content did not appear."""
    said = any(value is not None and name not in reading.defaults for name, value in reading.facts.items())
    captured = any(
        one.state == "said" and one.strategy in ("api_capture", "http")
        for entries in reading.told.values()
        for one in entries
    )
    return replace(
        reading,
        status=page.status,
        url=page.url,
        asked=visit.url,
        ready=page.ready or (captured and said and (page.status or 0) < 400),
        texts=page.texts,
        texts_in=page.texts_in,
        selectors=page.selectors,
        dialogs=page.dialogs,
        steps=page.steps,
    )


def _progress(visit: Visit) -> Progress:
    if isinstance(visit.so_far, Progress):
        return visit.so_far
    return Progress(in_full=visit.in_full)


def _steps(platform: Platform) -> tuple[int, ...]:
    """The steps in order: each request, and the page at the position of its first source."""
    steps: list[int] = []
    for position, source in enumerate(platform.extract.sources):
        if not source.kind.page:
            steps.append(position)
        elif _PAGE not in steps:
            steps.append(_PAGE)
    return tuple(steps)


def _judged_fields(platform: Platform) -> frozenset[str]:
    """The fields that can decide a verdict."""
    rules: Judge = platform.judge
    signs = {name for signs in rules.by_verdict.values() for facts in signs.facts for name in facts}
    return frozenset((signs | set(rules.require)) & platform.extract.fields.keys())


def _why(reading: PageReading) -> str:
    return "; ".join(reading.troubles)[:200] or "more is wanted than was said"
