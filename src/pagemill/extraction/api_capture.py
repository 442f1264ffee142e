"""Strategy `api_capture`: facts from the JSON answer that the page itself fetches while it loads.

Owns the page's listeners for one visit, and takes them away again however the visit ends. Which URL is meant is
`url_pattern`'s, the way into the JSON `json_path`'s; the document itself is watched by `look`, for the texts of a
verdict and for a page that dies.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Page, Response

from pagemill.config.extract import FieldRule
from pagemill.config.platform import Platform
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded
from pagemill.extraction.json_path import answered, facts_at, parse_json
from pagemill.extraction.look import MAX_URL, Sighting, Watch, watch_page
from pagemill.extraction.navigate import navigate, translate
from pagemill.extraction.page_script import STOP_SCRIPT
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.url_pattern import UrlPattern
from pagemill.extraction.visit import Visit
from pagemill.model import Facts, PageReading

_STEP = "waiting for the answer to capture"
_BODY_TIMEOUT_S = 5.0
_STOP_TIMEOUT_S = 2.0
_MAX_BODY_BYTES = 2_000_000
_MAX_WAITING = 50
"""Answers that fit the pattern and wait to be read; what comes beyond them is dropped."""
_NO_JSON = ("image/", "video/", "audio/", "font/", "text/css", "text/html", "text/event-stream")
_WITH_BODY = frozenset({200, 201, 202, 203, 206, 304})


@dataclass(frozen=True, slots=True)
class _Answer:
    """A captured answer: its facts, or a status of its own that settles the verdict."""

    facts: Facts
    status: int | None = None


class ApiCaptureStrategy:
    """Reads every field of the platform from the first answer that fits `extract.match` and has the product's values.

    An answer has them when the path of every field that the product expects, or of every field if it expects none,
    leads somewhere. Answers that are no JSON, too large, or of another shape are passed over. If time runs out, the
    answer that had the most fields still counts. An answer with a status of `judge.gone` or `judge.blocked` is taken as
    the document's. `extract.ready` means nothing here.
    """

    def __init__(self, platform: Platform) -> None:
        self._fields = platform.extract.fields
        self._watch = Watch.of(platform)
        self._pattern = UrlPattern(platform.extract.match or "")

    async def read(self, page: Page, visit: Visit) -> PageReading:
        """See `Strategy.read`."""
        budget = TimeBudget(visit.timeout_s)
        with _capturing(page, self._pattern) as capture:
            status = await navigate(page, visit.url, visit.timeout_s)
            capture.committed = True
            if self._watch.is_settled_by(status):
                return PageReading(status, page.url[:MAX_URL], {}, ready=False)
            reader = _Reader(self._wanted(visit), self._fields, self._watch.end_statuses)
            return await self._first(page, capture, reader, budget.left_s(_STEP), status)

    def _wanted(self, visit: Visit) -> Mapping[str, FieldRule]:
        expected = {name: rule for name, rule in self._fields.items() if visit.product.expected.get(name) is not None}
        return expected or self._fields

    async def _first(
        self, page: Page, capture: _Capture, reader: _Reader, left_s: float, status: int | None
    ) -> PageReading:
        """The answer or the document, whichever settles the visit first. The watch ends by its own deadline."""
        stop = f"pagemill-{secrets.token_hex(4)}"
        watching = asyncio.create_task(watch_page(page, self._watch, left_s, status, stop))
        reading = asyncio.create_task(reader.run(capture.arrived))
        try:
            await asyncio.wait({watching, reading}, return_when=asyncio.FIRST_COMPLETED)
            answer = reading.result() if reading.done() else None
            if answer is not None and not watching.done():
                await _stop(page, stop)
                await within(_STOP_TIMEOUT_S, asyncio.shield(watching), _STEP)
            return _combine(watching.result(), answer or reader.partial)
        finally:
            for task in (watching, reading):
                task.cancel()
            await asyncio.gather(watching, reading, return_exceptions=True)


async def _stop(page: Page, stop: str) -> None:
    try:
        await within(_STOP_TIMEOUT_S, page.evaluate(STOP_SCRIPT, stop), _STEP)
    except PlaywrightError as error:
        raise translate(error, _STEP) from error


def _combine(seen: Sighting, answer: _Answer | None) -> PageReading:
    if answer is None:
        return PageReading(seen.status, seen.url, {}, ready=False, texts=seen.texts)
    status = seen.status if answer.status is None else answer.status
    return PageReading(status, seen.url, answer.facts, ready=answer.status is None, texts=seen.texts)


class _Capture:
    """Collects the answers that fit. Its handlers run on the loop and never raise: Playwright would let the next call
    to any page pay for it."""

    def __init__(self, pattern: UrlPattern) -> None:
        self._pattern = pattern
        self.arrived: asyncio.Queue[Response] = asyncio.Queue(_MAX_WAITING)
        self.committed = False
        """Whether `navigate` has returned: from then on, every answer is one to the new document."""

    def on_response(self, response: Response) -> None:
        if self._pattern.fits(response.url) and not self.arrived.full():
            self.arrived.put_nowait(response)

    def on_navigated(self, frame: Frame) -> None:
        # The document of the last visit may still be fetching: its answers must not be taken for this product's.
        if not self.committed and frame.parent_frame is None:
            while not self.arrived.empty():
                self.arrived.get_nowait()


@contextmanager
def _capturing(page: Page, pattern: UrlPattern) -> Iterator[_Capture]:
    capture = _Capture(pattern)
    try:
        page.on("response", capture.on_response)
        page.on("framenavigated", capture.on_navigated)
        yield capture
    finally:
        page.remove_listener("response", capture.on_response)
        page.remove_listener("framenavigated", capture.on_navigated)


class _Reader:
    """Reads captured answers, one after another, until one fits."""

    def __init__(
        self, wanted: Mapping[str, FieldRule], fields: Mapping[str, FieldRule], end_statuses: frozenset[int]
    ) -> None:
        self._wanted = wanted
        self._fields = fields
        self._end_statuses = end_statuses
        self._most = 0
        self.partial: _Answer | None = None
        """The answer with the most fields, of those that did not have all that were wanted."""

    async def run(self, arrived: asyncio.Queue[Response]) -> _Answer:
        """Waits for the answer that fits; without end if there is none."""
        while True:
            answer = await self._read(await arrived.get())
            if answer is not None:
                return answer

    async def _read(self, response: Response) -> _Answer | None:
        if response.status in self._end_statuses:
            return _Answer({}, response.status)
        try:
            body = await within(_BODY_TIMEOUT_S, _bounded_body(response), "reading a captured answer")
            document = parse_json(body) if body is not None else None
        except (DeadlineExceeded, PlaywrightError, ValueError):
            return None  # endless, gone with its document, or no JSON: another answer may fit
        if answered(document, self._wanted.values()) == len(self._wanted):
            return _Answer(facts_at(document, self._fields))
        count = answered(document, self._fields.values())
        if count > self._most:
            self._most, self.partial = count, _Answer(facts_at(document, self._fields))
        return None


async def _bounded_body(response: Response) -> bytes | None:
    """The body, `None` if it cannot be JSON of a sane size.

    One that unpacks to more than it says is bounded by Chromium, which gave up 5 MB but not 30 MB (version 156).
    """
    headers = response.headers
    kind = headers.get("content-type", "")
    if response.status not in _WITH_BODY or kind.startswith(_NO_JSON):
        return None
    length = headers.get("content-length", "")
    if length.isdecimal():
        if int(length[:12]) > _MAX_BODY_BYTES:
            return None
    else:
        sizes = await response.request.sizes()
        if sizes["responseBodySize"] > _MAX_BODY_BYTES:
            return None
    body = await response.body()
    return body if len(body) <= _MAX_BODY_BYTES else None
