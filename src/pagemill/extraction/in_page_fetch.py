"""Strategy `in_page_fetch`: facts from a request that an open page of the shop makes, without a visit of the product.

The page must be on the shop's own origin. It asks for the product's API (`fetch.url`) or the product's document. Only a
whole answer counts: one that has every fact by which the product is judged, or that says gone or blocked. In all other
cases the page itself is visited. So are some products, the samples, to compare both ways. `fetch_trust` decides when to
trust the answers; `fetch_script` makes the request.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from pagemill.config.platform import Platform
from pagemill.config.reading.judge import Judge
from pagemill.config.reading.patterns import Names, Part, fill_address
from pagemill.config.reading.source import Fetch, Source
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.config.reading.user_regex import search_regex
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded, FullVisitNeeded, ItemError
from pagemill.extraction.dom import DomSource
from pagemill.extraction.fetch_trust import FetchPlan, FetchTrust
from pagemill.extraction.identity import Identity, is_elsewhere
from pagemill.extraction.json_path import parse_json
from pagemill.extraction.judge import met_signs
from pagemill.extraction.navigate import translate
from pagemill.extraction.page_spec import MAX_URL, reading_spec
from pagemill.extraction.script_world import PageWorld
from pagemill.extraction.scripts.fetch_script import fetch_script
from pagemill.extraction.sighting import Sighting, sighting_of
from pagemill.extraction.source_told import SourcesTold, error_paths, errors_in, told_by_json
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit
from pagemill.extraction.watch_plan import WatchPlan
from pagemill.model import PageReading
from pagemill.playwright_errors import PlaywrightError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

if TYPE_CHECKING:
    from playwright.async_api import Page

log = get_logger("extraction")

_STEP = "fetching in the page"
_SHARE = 0.5
"""The part of a visit's time that a request may take; the rest is left for the full visit."""
_MAX_BYTES = 4_000_000
_MOVED = re.compile(r"Execution context was destroyed")

ReadInFull = Callable[[float], Awaitable[PageReading]]
"""Visits the page itself, within the given seconds."""


class _Unseen(FullVisitNeeded):
    """The document's meaning depends on what a visitor sees of it. That says nothing against the shop's answers."""


class InPageFetch:
    """Reads the fields of its source from an answer, if that may replace a visit."""

    def __init__(self, platform: Platform, source: Source) -> None:
        self._platform = platform
        self._fields = source.fields
        self._fetch = source.fetch or Fetch()
        self._judge = platform.judge
        self._rules = platform.host_rules()
        self._position = platform.extract.sources.index(source)
        plan = WatchPlan()
        self._document = DomSource(source, self._position, plan)
        self._watch = plan.watch(platform)
        self._document_spec = reading_spec(self._watch)
        self._script = fetch_script()
        self._error_paths = error_paths(platform.judge)
        self._landing = [UrlPattern(pattern) for pattern in platform.judge.landing]
        self._trust = FetchTrust(self._fetch.sample_every)

    async def read(
        self, page: Page, visit: Visit, wanted: frozenset[str], read_in_full: ReadInFull, *, in_full: bool
    ) -> PageReading:
        """A `light` reading made from the answer, or the reading of the page itself if it must be visited.

        Args:
            page: any page; the request is made if it is on the shop's origin.
            visit: of the product.
            wanted: the fields by which it is judged.
            read_in_full: visits the page itself.
            in_full: whether the page must be visited.

        Raises:
            FullVisitNeeded: the answer is not enough; call again with `in_full`.
        """
        budget = TimeBudget(visit.timeout_s)
        plan = FetchPlan.FULL if in_full else self._trust.plan()
        if plan is FetchPlan.FETCH:
            try:
                reading = await self._fetched(page, visit, wanted, budget.left_s(_STEP) * _SHARE)
            except FullVisitNeeded as error:
                left_open = not isinstance(error, _Unseen)
                self._note(self._trust.asked(left_open=left_open), visit, str(error))
                raise
            if reading is not None:
                self._trust.asked(left_open=False)
                return reading
            plan = FetchPlan.SAMPLE  # the page is not on the shop's origin, so it has to go there
        reading = await read_in_full(budget.left_s(_STEP))
        if plan is FetchPlan.SAMPLE:
            await self._compare(page, visit, wanted, reading, budget)
        return reading

    async def _compare(
        self, page: Page, visit: Visit, wanted: frozenset[str], seen: PageReading, budget: TimeBudget
    ) -> None:
        """Fetches the product that was just visited, and compares. If that fails, the visit's reading still counts."""
        try:
            fetched = await self._fetched(page, visit, wanted, budget.left_s(_STEP))
        except (ItemError, DeadlineExceeded):
            return
        if fetched is None or not (seen.ready or self._settles(seen)):
            return
        why = _difference(seen, fetched, self._judge)
        self._note(self._trust.compared(same=not why), visit, why)

    def _note(self, changed: bool, visit: Visit, why: str) -> None:
        platform = self._platform.platform
        if changed and self._trust.trusted:
            log.info(events.FETCH_TRUSTED, platform=platform, product=visit.product.id)
        elif changed:
            log.warning(events.FETCH_DISTRUSTED, platform=platform, product=visit.product.id, reason=why)

    async def _fetched(self, page: Page, visit: Visit, wanted: frozenset[str], timeout_s: float) -> PageReading | None:
        """What the answer says; `None` if the page is not on the shop's origin.

        Raises:
            FullVisitNeeded: the answer leaves the question open.
            PageLost, DeadlineExceeded: as in any visit.
        """
        budget = TimeBudget(timeout_s)
        if self._fetch.url is not None:
            answer = await self._ask(page, visit, self._address(visit), None, budget)
            if answer is None:
                return None
            reading = self._from_api(visit, answer, wanted)
            if reading is not None:
                return reading
        answer = await self._ask(page, visit, visit.url, self._document_spec, budget)
        return None if answer is None else self._from_document(visit, answer, wanted)

    def _address(self, visit: Visit) -> str:
        """The API's address for a product."""
        names: Names = visit.names or {"id": Part(visit.product.id), "url": Part(visit.url, encoded=True)}
        if self._fetch.pattern is not None:
            found = search_regex(self._fetch.pattern, visit.url)
            if found is None:
                raise FullVisitNeeded("the product's URL does not fit extract.fetch.pattern")
            cut = {name: Part(text or "", encoded=True) for name, text in found.groupdict().items()}
            names = {**names, **cut}
        assert self._fetch.url is not None
        return urljoin(visit.url, fill_address(self._fetch.url, names))

    async def _ask(
        self, page: Page, visit: Visit, url: str, document: Mapping[str, Any] | None, budget: TimeBudget
    ) -> Mapping[str, Any] | None:
        if (refusal := self._rules.refusal(url)) is not None:
            raise FullVisitNeeded(refusal)
        left_s = budget.left_s(_STEP)
        spec = {
            **self._document_spec,
            "page": visit.url,
            "url": url,
            "timeoutMs": left_s * 800,
            "maxBytes": _MAX_BYTES,
            "document": document is not None,
        }
        try:
            world = visit.world or PageWorld(page)
            answer = await within(left_s, world.evaluate(self._script, spec), _STEP)
        except PlaywrightError as error:
            if _MOVED.search(error.message):
                raise FullVisitNeeded("the page moved on") from error
            raise translate(error, _STEP) from error
        if not isinstance(answer, Mapping):
            raise FullVisitNeeded("the page answered with something else than a reading")
        if answer.get("away") is True:
            return None
        if "failed" in answer or not isinstance(answer.get("status"), int):
            raise FullVisitNeeded(str(answer.get("failed"))[:80])
        return answer

    def _from_api(self, visit: Visit, answer: Mapping[str, Any], wanted: frozenset[str]) -> PageReading | None:
        """The reading made from the API's answer; `None` if only the document can tell."""
        status, body = answer["status"], answer.get("body")
        if status in self._judge.blocked.status:
            return PageReading(status, visit.url, {}, ready=False, light=True, retry_after=_retry_after(answer))
        if status != 200 or not isinstance(body, str):
            return None
        try:
            document = parse_json(body)
        except ValueError:
            return None
        told = SourcesTold()
        told.errors += errors_in(document, self._error_paths)
        told.add(told_by_json(document, self._fetch.fields, self._position, "in_page_fetch"))
        reading = self._reading(visit, status, visit.url, told)
        says_error = bool(met_signs(replace(reading, facts={}), self._judge))
        return reading if says_error or _is_whole(reading, wanted) else None

    def _from_document(self, visit: Visit, answer: Mapping[str, Any], wanted: frozenset[str]) -> PageReading:
        status, address = answer["status"], answer.get("url")
        url = (address if isinstance(address, str) and address else visit.url)[:MAX_URL]
        if status in self._watch.end_statuses:
            return PageReading(status, url, {}, ready=False, light=True, retry_after=_retry_after(answer))
        seen = sighting_of(answer, self._watch, status, url)
        if seen is None:
            raise FullVisitNeeded("the page answered with something else than a reading")
        told = SourcesTold()
        told.add(self._document.tell(seen))
        reading = self._reading(visit, status, url, told, seen)
        has_sign, is_whole = bool(seen.texts or seen.texts_in or seen.selectors), _is_whole(reading, wanted)
        if self._document.depends_on_sight(seen) or (has_sign and is_whole):
            raise _Unseen("without style sheets nobody knows what of the document is seen")
        if has_sign:
            return reading
        identity = Identity.of(visit.names, visit.url)
        allowed = [pattern.filled(visit.names) for pattern in self._landing]
        if is_elsewhere(identity, visit.url, url, allowed):
            raise FullVisitNeeded("the answer came from elsewhere")
        if status != 200 or self._fetch.url is not None or not is_whole:
            raise FullVisitNeeded("the answer is not whole")
        return reading

    def _reading(
        self, visit: Visit, status: int, url: str, told: SourcesTold, seen: Sighting | None = None
    ) -> PageReading:
        facts, defaults = told.facts(self._platform.extract)
        return PageReading(
            status=status,
            url=url,
            facts=facts,
            light=True,
            asked=visit.url,
            texts=() if seen is None else seen.texts,
            texts_in=() if seen is None else seen.texts_in,
            selectors=() if seen is None else seen.selectors,
            errors=tuple(told.errors),
            defaults=defaults,
            told=told.ordered(),
        )

    def _settles(self, reading: PageReading) -> bool:
        return reading.status in self._watch.end_statuses or bool(met_signs(reading, self._judge))


def _is_whole(reading: PageReading, wanted: frozenset[str]) -> bool:
    """Whether every wanted fact is there, and the answer itself said at least one fact."""
    return all(reading.facts.get(name) is not None for name in wanted) and any(
        value is not None and name not in reading.defaults for name, value in reading.facts.items()
    )


def _retry_after(answer: Mapping[str, Any]) -> str:
    header = answer.get("retryAfter")
    return header[:100] if isinstance(header, str) else ""


def _difference(seen: PageReading, fetched: PageReading, rules: Judge) -> str:
    """How the page differs from the fetched answer, for people; empty if it does not."""
    signs, others = met_signs(seen, rules), met_signs(fetched, rules)
    settled = bool(signs) or not seen.ready
    if {verdict for verdict, _ in signs} != {verdict for verdict, _ in others} or (
        not signs and not seen.ready and seen.status != fetched.status
    ):
        page, answer = (", ".join(f"{verdict.value} ({why})" for verdict, why in one) for one in (signs, others))
        return f"the page is {page or seen.status}, the answer {answer or fetched.status}"[:200]
    if settled:
        return ""
    names = [name for name, fact in seen.facts.items() if fetched.facts.get(name) != fact and name in fetched.told]
    return ", ".join(f"{name}: {seen.facts[name]!r}, fetched {fetched.facts.get(name)!r}" for name in names)[:200]
