"""Visits each page of a draft once, at a shop's pace, and keeps the pages open until the draft was tried on them.

Owns the leases. `reading` finds what a page holds; callers choose from it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from pagemill.browser.lease import Lease
from pagemill.browser.pool import BrowserPool
from pagemill.config.platform import Platform
from pagemill.config.section import MsRange
from pagemill.config.web_address import fault_of, read_web_address
from pagemill.drafting.evidence import PageEvidence, PageRole
from pagemill.drafting.reading import read_evidence
from pagemill.errors import DeadlineExceeded, ItemError, UsageError, VisitFailed
from pagemill.extraction.navigate import navigate

DEFAULT_WAIT_MS = MsRange(low_ms=3000, high_ms=4000)
_REFUSALS = frozenset({401, 403, 405, 406, 407, 418, 429, 451, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525})
_AT_ONCE = 3
"""Visits at once, if the shop is the user's own and needs no pause: each waits until its page is at rest."""
_READ_S = 40.0
"""For all that is read in one page, after its loading."""


@dataclass(frozen=True, slots=True)
class AskedPage:
    """A page to be visited, and what is known of its product."""

    url: str
    role: PageRole
    expected: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GatheredPage:
    """A page that was visited and is still open."""

    evidence: PageEvidence
    lease: Lease


def preliminary(
    name: str,
    pages: Sequence[AskedPage],
    visitor: Mapping[str, Any],
    *,
    more_hosts: Sequence[str] = (),
    timeout_ms: int = 30_000,
) -> Platform:
    """The platform as which the pages are visited. Its hosts are those of the pages and `more_hosts`, and every JSON
    answer is heard.

    Raises:
        UsageError: a URL may not be visited.
        ValidationError: the name is not one of a platform, or the visitor is wrong.
    """
    hosts: dict[str, None] = {}
    for page in pages:
        if fault := fault_of(page.url):
            raise UsageError(fault)
        hosts[read_web_address(page.url).host] = None
    hosts |= dict.fromkeys(more_hosts)
    return Platform.model_validate(
        {
            "platform": name,
            "hosts": list(hosts),
            "visitor": dict(visitor),
            "navigation": {"timeout_ms": timeout_ms, "block": ["media"]},
            "rotation": {"page": 1, "context": 1},
            "workflow": {"concurrency": {"default": min(64, max(1, len(pages)))}},
            "extract": {"strategy": "api_capture", "match": "**", "fields": {"name": "name"}},
        }
    )


class Gathering:
    """The pages of one draft."""

    def __init__(self, pool: BrowserPool, platform: Platform, wait_ms: MsRange = DEFAULT_WAIT_MS) -> None:
        """
        Args:
            pool: has a place for all pages at once.
            platform: made by `preliminary`.
            wait_ms: between the end of one visit and the next one.
        """
        self._pool = pool
        self._platform = platform
        self._wait_ms = wait_ms
        self._leases = AsyncExitStack()
        self.pages: list[GatheredPage] = []

    async def visit_all(
        self, pages: Sequence[AskedPage], note: Callable[[int], object] | None = None
    ) -> list[PageEvidence]:
        """Visits the pages one after another, or several at once if there is no pause between visits; all stay open.
        `note` is called after each visit with the number of visited pages.

        Raises:
            VisitFailed: a page could not be read; the message says which, and why.
        """
        turns, visited = asyncio.Semaphore(1 if self._wait_ms.high_ms else _AT_ONCE), itertools.count(1)

        async def visit(number: int, asked: AskedPage) -> GatheredPage:
            async with turns:
                if number:
                    await asyncio.sleep(random.uniform(self._wait_ms.low_ms, self._wait_ms.high_ms) / 1000)
                page = await self._visit(asked)
            if note is not None:
                note(next(visited))
            return page

        visits = [asyncio.create_task(visit(number, asked)) for number, asked in enumerate(pages)]
        try:
            self.pages += await asyncio.gather(*visits)
        finally:
            for one in visits:
                one.cancel()
            await asyncio.gather(*visits, return_exceptions=True)
        return [page.evidence for page in self.pages]

    async def close(self) -> None:
        """Gives the pages back."""
        await self._leases.aclose()

    async def _visit(self, asked: AskedPage) -> GatheredPage:
        lease = await self._leases.enter_async_context(self._pool.lease(self._platform))
        timeout_s = self._platform.navigation.timeout_ms / 1000
        evidence = PageEvidence(asked.role, asked.url, asked.url, None, "", "", expected=asked.expected)
        try:
            status = await navigate(lease.page, asked.url, timeout_s)
            lease.news.arrived()
            evidence = PageEvidence(asked.role, asked.url, asked.url, status, "", "", expected=asked.expected)
            evidence = await read_evidence(lease, evidence, _READ_S, _apart(asked.url))
        except (ItemError, DeadlineExceeded) as error:
            if (away := lease.strayed or lease.refusal) is not None:
                raise _led_away(asked.url, away) from error
            raise VisitFailed(
                f"{asked.url} could not be read: {error}. Does it open in an ordinary browser?"
            ) from error
        if lease.strayed is not None:
            raise _led_away(asked.url, lease.strayed)
        return GatheredPage(evidence, lease)


def _led_away(url: str, refusal: str) -> VisitFailed:
    return VisitFailed(f"{url} could not be read: it led away: {refusal}. --host allows another host")


def refused_pages(pages: Sequence[PageEvidence]) -> str:
    """What to say if the shop has refused the visits; empty if it has not. A page with the role `gone` may be
    refused."""
    refused = [page for page in pages if page.status in _REFUSALS and page.role is not PageRole.GONE]
    refused += [page for page in pages if page.role is PageRole.ON_SALE and page.status in (404, 410)]
    if not refused:
        return ""
    told = ", ".join(f"{page.url}: HTTP {page.status}" for page in refused[:3])
    return (
        f"{told}. Does it open in an ordinary browser? If so, the shop refuses this one: try --device 'iPhone 15' and "
        "--locale, or the address of its API in place of the page's"
    )


def _apart(url: str) -> tuple[str, ...]:
    """The parts of a product's address that are likely to be its own."""
    address = urlsplit(url)
    parts = re.split(r"[/?&=]+", f"{address.path}?{address.query}")
    return tuple(unquote(part) for part in parts if re.search(r"\d", part) or part.count("-") >= 2)
