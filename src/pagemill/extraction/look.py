"""Waits until a page shows what is looked for, and reads it, in one round trip per document.

This is what the built-in strategies share, and what a strategy of your own can build on (see `strategy`). It brings raw
text back; turning that into facts is `values`' and `json_path`'s.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.config.platform import Platform
from pagemill.deadlines import within
from pagemill.errors import VisitFailed
from pagemill.extraction.navigate import navigate, translate
from pagemill.extraction.page_script import WATCH_SCRIPT
from pagemill.extraction.time_budget import TimeBudget
from pagemill.extraction.visit import Visit

_STEP = "waiting for the content"
_MAX_DOCUMENTS = 5
"""A page that moves on by itself more often than this does not come to rest."""
_MAX_MARGIN_S = 1.0
"""How long before Python's own deadline the page gives up, so that its answer still arrives."""
_LATER_S = 0.05
_FIELD_CHARS = 2_000
_SCRIPT_CHARS = 200_000
_TOTAL_CHARS = 1_000_000
_MAX_SCRIPTS = 20
MAX_URL = 2_000
"""Characters of an address that are kept; a page can give itself one of any length."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is waited for and read.

    With `ready`, the wait ends when that selector is there, and the values that are there are whole. Without it, it
    ends when every place says something, or when the page has loaded and then stayed quiet for 0.3 s (2 s at most): set
    `ready` for pages that fetch their content after loading. With neither `ready`, `places` nor `json_ld`, only a text
    ends it. A text always ends it, whatever its letters' case and however its white space runs.
    """

    places: tuple[tuple[str, str | None], ...] = ()
    """CSS selector and attribute (`None` for the text) of each value to read; the first element that fits counts."""
    ready: str | None = None
    json_ld: bool = False
    """Read the JSON-LD of products, and without `ready` wait for some."""
    texts: tuple[str, ...] = ()
    end_statuses: frozenset[int] = field(default_factory=frozenset)
    """HTTP statuses of the document that settle everything; then nothing is waited for or read."""

    @classmethod
    def of(
        cls,
        platform: Platform,
        places: tuple[tuple[str, str | None], ...] = (),
        *,
        ready: str | None = None,
        json_ld: bool = False,
    ) -> Self:
        """A watch with the texts and statuses by which the platform is judged."""
        gone, blocked = platform.judge.gone, platform.judge.blocked
        return cls(
            places=places,
            ready=ready,
            json_ld=json_ld,
            texts=tuple(dict.fromkeys((*gone.text, *blocked.text))),
            end_statuses=frozenset((*gone.status, *blocked.status)),
        )

    def is_settled_by(self, status: int | None) -> bool:
        """Whether a document of this status need not be looked at: nothing in it could change the verdict."""
        return status is not None and (status in self.end_statuses or (status >= 400 and not self.texts))


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a page showed. `raw` has one entry per place, or none at all when the status settled everything."""

    status: int | None
    url: str
    ready: bool = False
    raw: tuple[str | None, ...] = ()
    scripts: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


async def visit_page(page: Page, visit: Visit, watch: Watch) -> Sighting:
    """Navigates, waits and reads, all within the visit's time.

    It leaves nothing behind in the page or on it. Cancellation passes through.

    Raises:
        DeadlineExceeded: the page did not start, or does not answer; it is of no further use then. A page that answers
            but does not show its content in time is no error: its sighting is not `ready`.
        VisitRefused, VisitFailed, PageLost: see `navigate`.
    """
    budget = TimeBudget(visit.timeout_s)
    status = await navigate(page, visit.url, visit.timeout_s)
    if watch.is_settled_by(status):
        return Sighting(status, page.url[:MAX_URL])
    return await watch_page(page, watch, budget.left_s(_STEP), status)


async def watch_page(page: Page, watch: Watch, timeout_s: float, status: int | None, stop: str = "") -> Sighting:
    """Waits and reads in the document that the page shows, and in those that it moves on to by itself.

    Args:
        page: a page that has navigated.
        watch: what to look for.
        timeout_s: for all of it.
        status: the document's HTTP status, for a page that does not know its own.
        stop: an event's name; dispatching it on the document (`STOP_SCRIPT`) ends the wait at once.

    Raises:
        DeadlineExceeded, VisitFailed, PageLost: as `visit_page`.
    """
    budget = TimeBudget(timeout_s)
    spec = _spec(watch, stop)
    documents = 0
    while documents < _MAX_DOCUMENTS:
        left_s = budget.left_s(_STEP)
        spec["timeoutMs"] = (left_s - min(_MAX_MARGIN_S, left_s / 5)) * 1000
        try:
            answer = await within(left_s, page.evaluate(WATCH_SCRIPT, spec), _STEP)
        except PlaywrightError as error:
            if "Execution context was destroyed" in error.message:
                documents += 1
                continue
            raise translate(error, _STEP) from error
        later = answer.get("later") if isinstance(answer, Mapping) else None
        if later == "again":
            await asyncio.sleep(_LATER_S)
            continue
        if later == "shown" and not spec["shown"]:
            await _show(page, budget.left_s(_STEP))
            spec["shown"] = True
            continue
        return _sighting(answer, watch, page.url, status)
    raise VisitFailed("the page moves from document to document and does not come to rest")


async def _show(page: Page, timeout_s: float) -> None:
    try:
        await within(timeout_s, page.bring_to_front(), _STEP)
    except PlaywrightError as error:
        raise translate(error, _STEP) from error


def reading_spec(watch: Watch) -> dict[str, Any]:
    """What `page_script.READING` is to read in a document."""
    return {
        "fields": [[selector, attribute] for selector, attribute in watch.places],
        "scripts": watch.json_ld,
        "texts": [r"\s+".join(re.escape(word) for word in text.split()) for text in watch.texts],
        "fieldChars": _FIELD_CHARS,
        "totalChars": _TOTAL_CHARS,
        "scriptChars": _SCRIPT_CHARS,
        "maxScripts": _MAX_SCRIPTS,
    }


def _spec(watch: Watch, stop: str) -> dict[str, Any]:
    return {
        **reading_spec(watch),
        "ready": watch.ready,
        "endStatuses": sorted(watch.end_statuses),
        "stop": stop,
        "shown": False,
    }


def _sighting(answer: Any, watch: Watch, url: str, status: int | None) -> Sighting:
    """Takes nothing on trust: the script ran next to the page's own."""
    if not isinstance(answer, Mapping):
        raise VisitFailed("the page answered with something else than a reading")
    scripts, texts = answer.get("scripts"), answer.get("texts")
    own_status, own_url = answer.get("status"), answer.get("url")
    # The page's own word, because it may have moved on before it was looked at.
    if isinstance(own_status, int) and 100 <= own_status <= 599:
        status = own_status
    raw = raw_of(answer.get("raw"), watch)
    if raw is None or not isinstance(scripts, list):
        raise VisitFailed("the page answered with something else than a reading")
    address = (own_url if isinstance(own_url, str) and own_url else url)[:MAX_URL]
    if watch.is_settled_by(status):
        return Sighting(status, address)
    return Sighting(
        status=status,
        url=address,
        ready=answer.get("ready") is True,
        raw=raw,
        scripts=tuple(text for text in scripts[:_MAX_SCRIPTS] if isinstance(text, str) and len(text) <= _SCRIPT_CHARS),
        texts=texts_of(texts, watch),
    )


def raw_of(found: Any, watch: Watch) -> tuple[str | None, ...] | None:
    """One text or `None` per place, from a script's answer; `None` if that is something else."""
    if not (isinstance(found, list) and len(found) == len(watch.places)):
        return None
    return tuple(text[:_FIELD_CHARS] if isinstance(text, str) else None for text in found)


def texts_of(found: Any, watch: Watch) -> tuple[str, ...]:
    """Which of the texts are there, from the positions that a script answers with."""
    if not isinstance(found, list):
        return ()
    return tuple(text for position, text in enumerate(watch.texts) if position in found)
