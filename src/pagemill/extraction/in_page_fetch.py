"""Strategy `in_page_fetch`: facts from a request that a page of the shop makes, without a visit of the product's.

A page that stands on the shop's own origin asks for the product's API (`extract.fetch.url`), or for the product's
document, without going there. Only a whole answer counts: one with every fact that the product is judged by, or one
that says gone or blocked. Everything else is for a full visit, which is strategy `dom`'s; so is a sample of the
products, to be compared. When to trust the answers is `trust`'s, the request itself `fetch_script`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.config.platform import Platform
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded, FullVisitNeeded, ItemError
from pagemill.extraction.dom import DomStrategy
from pagemill.extraction.fetch_script import FETCH_SCRIPT
from pagemill.extraction.json_path import facts_at, parse_json
from pagemill.extraction.look import MAX_URL, Watch, raw_of, reading_spec, texts_of
from pagemill.extraction.navigate import translate
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.trust import Plan, Trust
from pagemill.extraction.values import to_fact
from pagemill.extraction.visit import Visit
from pagemill.model import Facts, PageReading
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("extraction")

_STEP = "fetching in the page"
_SHARE = 0.5
"""Of a visit's time, for a request; the rest is left for the full visit."""
_MAX_BYTES = 4_000_000
_MOVED = re.compile(r"Execution context was destroyed")


class InPageFetchStrategy:
    """Reads every field of the platform from an answer, or from the page where the answer does not do."""

    def __init__(self, platform: Platform) -> None:
        self._name = platform.platform
        self._fetch = platform.extract.fetch
        self._fields = platform.extract.fields
        self._judge = platform.judge
        self._rules = platform.host_rules()
        self._full = DomStrategy(platform)
        places = tuple((rule.selector or "", rule.attribute) for rule in self._fields.values())
        self._watch = Watch.of(platform, places)
        self._document_spec = reading_spec(self._watch)
        self._trust = Trust(self._fetch.sample_every)

    async def read(self, page: Page, visit: Visit) -> PageReading:
        """See `Strategy.read`.

        Raises:
            FullVisitNeeded: the answer does not do; the next attempt must be `in_full`.
        """
        budget = TimeBudget(visit.timeout_s)
        plan = Plan.FULL if visit.in_full else self._trust.plan()
        if plan is Plan.FETCH:
            try:
                reading = await self._fetched(page, visit, budget.left_s(_STEP) * _SHARE)
            except FullVisitNeeded as error:
                self._note(self._trust.asked(left_open=True), visit, str(error))
                raise
            if reading is not None:
                self._trust.asked(left_open=False)
                return reading
            plan = Plan.SAMPLE  # the page has to go to the shop in any case
        reading = await self._full.read(page, replace(visit, timeout_s=budget.left_s(_STEP)))
        if plan is Plan.SAMPLE:
            await self._compare(page, visit, reading, budget)
        return reading

    async def _compare(self, page: Page, visit: Visit, seen: PageReading, budget: TimeBudget) -> None:
        """Asks as well what has just been seen. Whatever goes wrong with that, the reading is whole."""
        try:
            fetched = await self._fetched(page, visit, budget.left_s(_STEP))
        except (ItemError, DeadlineExceeded):
            return
        if fetched is None or not (seen.ready or self._settles(seen)):
            return
        why = _difference(seen, fetched)
        self._note(self._trust.compared(same=not why), visit, why)

    def _note(self, changed: bool, visit: Visit, why: str) -> None:
        if changed and self._trust.trusted:
            log.info(events.FETCH_TRUSTED, platform=self._name, product=visit.product.id)
        elif changed:
            log.warning(events.FETCH_DISTRUSTED, platform=self._name, product=visit.product.id, reason=why)

    async def _fetched(self, page: Page, visit: Visit, timeout_s: float) -> PageReading | None:
        """What the answer says; `None` if the page is not on the shop's origin.

        Raises:
            FullVisitNeeded: the answer leaves the question open.
            PageLost, DeadlineExceeded: as in any visit.
        """
        budget = TimeBudget(timeout_s)
        if self._fetch.url is not None:
            address = self._fetch.url_of(visit.product.id, visit.url)
            if address is None:
                raise FullVisitNeeded("the product's URL does not fit extract.fetch.pattern")
            answer = await self._ask(page, visit, urljoin(visit.url, address), None, budget)
            if answer is None:
                return None
            reading = self._from_api(visit, answer)
            if reading is not None:
                return reading
        answer = await self._ask(page, visit, visit.url, self._document_spec, budget)
        return None if answer is None else self._from_document(visit, answer)

    async def _ask(
        self, page: Page, visit: Visit, url: str, document: Mapping[str, Any] | None, budget: TimeBudget
    ) -> Mapping[str, Any] | None:
        if (refusal := self._rules.refusal(url)) is not None:
            raise FullVisitNeeded(refusal)
        left_s = budget.left_s(_STEP)
        spec = {
            "page": visit.url,
            "url": url,
            "timeoutMs": left_s * 800,
            "maxBytes": _MAX_BYTES,
            "document": document is not None,
            "texts": [],
            **(document or {}),
        }
        try:
            answer = await within(left_s, page.evaluate(FETCH_SCRIPT, spec), _STEP)
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

    def _from_api(self, visit: Visit, answer: Mapping[str, Any]) -> PageReading | None:
        """`None` where only the document can tell."""
        status, body = answer["status"], answer.get("body")
        if status in self._judge.blocked.status:
            return PageReading(status, visit.url, {}, ready=False, light=True, retry_after=_retry_after(answer))
        if status != 200 or not isinstance(body, str):
            return None
        try:
            facts = facts_at(parse_json(body), self._fetch.fields)
        except ValueError:
            return None
        return PageReading(status, visit.url, facts, light=True) if self._is_whole(visit, facts) else None

    def _from_document(self, visit: Visit, answer: Mapping[str, Any]) -> PageReading:
        status, address = answer["status"], answer.get("url")
        url = (address if isinstance(address, str) and address else visit.url)[:MAX_URL]
        if status in self._watch.end_statuses:
            return PageReading(status, url, {}, ready=False, light=True, retry_after=_retry_after(answer))
        texts = texts_of(answer.get("texts"), self._watch)
        raw = raw_of(answer.get("raw"), self._watch)
        if raw is None:
            raise FullVisitNeeded("the page answered with something else than a reading")
        facts = {name: to_fact(text, rule) for (name, rule), text in zip(self._fields.items(), raw, strict=True)}
        if texts:
            return PageReading(status, url, facts, texts=texts, light=True)
        if status != 200 or self._fetch.url is not None or not self._is_whole(visit, facts):
            raise FullVisitNeeded("the answer is not whole")
        return PageReading(status, url, facts, light=True)

    def _is_whole(self, visit: Visit, facts: Facts) -> bool:
        """Whether every fact is there by which the product is judged."""
        wanted = {name for name, value in visit.product.expected.items() if value is not None} & facts.keys()
        return all(facts[name] is not None for name in wanted | (self._judge.sold_out.keys() & facts.keys()))

    def _settles(self, reading: PageReading) -> bool:
        return reading.status in self._watch.end_statuses or bool(reading.texts)


def _retry_after(answer: Mapping[str, Any]) -> str:
    header = answer.get("retryAfter")
    return header[:100] if isinstance(header, str) else ""


def _difference(seen: PageReading, fetched: PageReading) -> str:
    """What the page says otherwise than the answer, `""` if nothing."""
    if seen.texts != fetched.texts or not (seen.ready or seen.status == fetched.status or seen.texts):
        return f"the page says {seen.texts or seen.status}, the answer {fetched.texts or fetched.status}"[:200]
    if not seen.ready or seen.texts:
        return ""
    names = [name for name, fact in seen.facts.items() if fetched.facts.get(name) != fact]
    return ", ".join(f"{name}: {seen.facts[name]!r}, fetched {fetched.facts.get(name)!r}" for name in names)[:200]
