"""Strategy `api_capture` against real pages of either kind: the right answer is found, and nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.opener import PageHandle
from pagemill.errors import DeadlineExceeded, PageLost, VisitFailed
from pagemill.extraction.strategy import Strategy, Visit, load_strategy
from pagemill.model import Facts, PageReading
from tests.browser.extraction.local_shop import LocalShop, Reply, answer, html, platform, shown, visit
from tests.browser.extraction.shop_reader import ShopReader
from tests.browser.pool.real_pool import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIELDS: dict[str, Any] = {"name": "data.name", "price": {"path": "data.price", "type": "number"}, "in_stock": "data.ok"}
PRODUCT = {"data": {"name": "Blue shirt", "price": "12,900", "ok": True}}
SHIRT: Facts = {"name": "Blue shirt", "price": 12900, "in_stock": True}
GONE = {"gone": {"text": ["No longer sold"]}}
ASKS = "<body><p></p><script>fetch('/api/p/1').catch(() => {})</script>"


@dataclass
class Capturing:
    """Visits by one strategy, in one page of either kind."""

    handle: PageHandle
    strategy: Strategy
    with_texts: Strategy

    async def read(self, visit: Visit) -> PageReading:
        """One visit, as a lane makes it."""
        return await self._read(self.strategy, visit)

    async def gone(self, visit: Visit) -> PageReading:
        """One by a platform that knows a text which means gone."""
        return await self._read(self.with_texts, visit)

    async def _read(self, strategy: Strategy, visit: Visit) -> PageReading:
        self.handle.firewall.reset()
        return await strategy.read(
            self.handle.page, replace(visit, news=self.handle.firewall.news, world=self.handle.world)
        )


@pytest_asyncio.fixture(loop_scope="module")
async def capturing(shop_reader: ShopReader) -> AsyncIterator[Capturing]:
    """However a visit ended, the loop has no task of it."""
    shops = [platform(FIELDS, judge, strategy="api_capture", match="/api/p/*") for judge in ({}, GONE)]
    async with shop_reader.opened(shops[0]) as handle:
        yield Capturing(handle, *map(load_strategy, shops))
        left = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
        assert not [name for name in left if "watch" in name or "_chosen" in name or "_dialog" in name]


async def test_reads_the_answer_that_the_page_fetches(capturing: Capturing, local_shop: LocalShop) -> None:
    """As soon as it is there, among answers that are of no use."""
    local_shop.replies["/"] = html(
        "<body><script>for (const n of ['text', 'list', 'html', 'none', 'broken', 'other', '1'])"
        " fetch('/api/p/' + n).catch(() => {})</script>"
    )
    local_shop.replies |= {
        "/api/p/text": Reply((b"hello",), headers=(("content-type", "text/plain"),)),
        "/api/p/list": answer([1, 2]),
        "/api/p/html": html("<p>no"),
        "/api/p/none": Reply(status=204),
        "/api/p/broken": Reply((b'{"data": ',), headers=(("content-type", "application/json"),)),
        "/api/p/other": answer({"data": {"id": 5}}),
        "/api/p/1": answer(PRODUCT, delay_s=0.4),
    }
    started = time.monotonic()
    reading = await capturing.read(visit(local_shop))
    assert reading == PageReading(200, local_shop.url("/"), SHIRT)
    assert time.monotonic() - started < 3


async def test_answers_of_other_addresses_are_not_read(capturing: Capturing, local_shop: LocalShop) -> None:
    """The pattern decides."""
    local_shop.replies["/"] = html(
        "<body><script>fetch('/api/q/1').then(() => fetch('/api/p/1'))</script>",
    )
    local_shop.replies["/api/q/1"] = answer({"data": {"name": "Other", "price": 1, "ok": False}})
    local_shop.replies["/api/p/1"] = answer(PRODUCT)
    assert (await capturing.read(visit(local_shop))).facts == SHIRT


async def test_an_expected_field_must_be_in_the_answer(capturing: Capturing, local_shop: LocalShop) -> None:
    """An answer that has what the product expects is enough; `null` counts as having it."""
    local_shop.replies["/"] = html("<body><script>fetch('/api/p/1').then(() => fetch('/api/p/2'))</script>")
    local_shop.replies["/api/p/1"] = answer({"data": {"name": "No price"}})
    local_shop.replies["/api/p/2"] = answer({"data": {"name": "Shirt", "price": None}})
    reading = await capturing.read(visit(local_shop, price=12900))
    assert reading.ready
    assert reading.facts == {"name": "Shirt", "price": None, "in_stock": None}


async def test_the_fullest_answer_counts_when_time_runs_out(capturing: Capturing, local_shop: LocalShop) -> None:
    """What is missing in it was not said."""
    local_shop.replies["/"] = html(ASKS)
    local_shop.replies["/api/p/1"] = answer({"data": {"name": "Shirt"}})
    reading = await capturing.read(visit(local_shop, timeout_s=4))
    assert reading.ready, reading.troubles
    assert reading.facts == {"name": "Shirt", "price": None, "in_stock": None}


async def test_without_an_answer_it_is_not_ready(capturing: Capturing, local_shop: LocalShop) -> None:
    """In the given time."""
    local_shop.replies["/"] = html("<body>")
    started = time.monotonic()
    reading = await capturing.read(visit(local_shop, timeout_s=2))
    assert (reading.status, reading.ready, set(reading.facts.values())) == (200, False, {None})
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(("status", "taken"), [(404, True), (429, True), (500, False)])
async def test_the_status_of_the_answer_counts(
    status: int, taken: bool, capturing: Capturing, local_shop: LocalShop
) -> None:
    """A page of status 200 whose product is a 404 of the API is gone; other errors are passed over."""
    local_shop.replies["/"] = html(ASKS)
    local_shop.replies["/api/p/1"] = answer(PRODUCT, status=status)
    reading = await capturing.read(visit(local_shop, timeout_s=2))
    facts = dict.fromkeys(FIELDS)
    assert reading == PageReading(status if taken else 200, local_shop.url("/"), facts, ready=False)


async def test_the_status_of_the_document_ends_the_visit(capturing: Capturing, local_shop: LocalShop) -> None:
    """At once."""
    local_shop.replies["/"] = html(ASKS, status=404)
    started = time.monotonic()
    assert (await capturing.read(visit(local_shop))).status == 404
    assert time.monotonic() - started < 2


async def test_a_text_ends_the_wait(capturing: Capturing, local_shop: LocalShop) -> None:
    """Also when the answer never comes."""
    local_shop.replies["/"] = html(
        "<body><p></p><script>setTimeout(() => { document.querySelector('p').textContent = 'No longer sold'; }, 400)"
        "</script>"
    )
    started = time.monotonic()
    assert (await capturing.gone(visit(local_shop))).texts == ("No longer sold",)
    assert time.monotonic() - started < 3


async def test_texts_beside_an_answer_are_reported(capturing: Capturing, local_shop: LocalShop) -> None:
    """The answer does not hide them."""
    local_shop.replies["/"] = html(f"{ASKS}<p>No longer sold")
    local_shop.replies["/api/p/1"] = answer(PRODUCT)
    assert (await capturing.gone(visit(local_shop))).texts == ("No longer sold",)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps(PRODUCT | {"x": "x" * 3_000_000}).encode(), ()),
        (gzip.compress(json.dumps(PRODUCT | {"x": "x" * 60_000_000}).encode(), 1), (("content-encoding", "gzip"),)),
    ],
    ids=["large", "bomb"],
)
@pytest.mark.parametrize("has_length", [True, False])
async def test_a_huge_answer_is_passed_over(
    body: bytes, headers: tuple[tuple[str, str], ...], has_length: bool, capturing: Capturing, local_shop: LocalShop
) -> None:
    """Whether it says its length or not, and even if it unpacks to a hundred times its size."""
    local_shop.replies["/"] = html(
        "<body><script>fetch('/api/p/1').then((r) => r.text()).finally(() => fetch('/api/p/2'))</script>"
    )
    kind = (("content-type", "application/json"),)
    local_shop.replies["/api/p/1"] = Reply((body,), headers=kind + headers, has_length=has_length)
    local_shop.replies["/api/p/2"] = answer(PRODUCT, delay_s=0.3)
    assert (await capturing.read(visit(local_shop))).facts == SHIRT


async def test_an_answer_without_end_does_not_hold_up_the_visit(capturing: Capturing, local_shop: LocalShop) -> None:
    """Streams are not read, and one that pretends to be JSON ends with the visit's own time."""
    local_shop.replies["/"] = html("<body><script>for (const n of [1, 2]) fetch('/api/p/' + n)</script>")
    local_shop.replies["/api/p/1"] = Reply(
        (b"data: x\n\n",) * 50, headers=(("content-type", "text/event-stream"),), pause_s=0.1, has_length=False
    )
    local_shop.replies["/api/p/2"] = Reply(
        (b"[", b" ") * 25, headers=(("content-type", "application/json"),), pause_s=0.1, has_length=False
    )
    started = time.monotonic()
    assert not (await capturing.read(visit(local_shop, timeout_s=2))).ready
    assert time.monotonic() - started < 3


async def test_a_client_redirect_is_followed(capturing: Capturing, local_shop: LocalShop) -> None:
    """The answer to the next document is as good."""
    local_shop.replies["/p/1"] = html("<body><script>setTimeout(() => { location.href = '/p/1/new'; }, 150)</script>")
    local_shop.replies["/p/1/new"] = html(ASKS)
    local_shop.replies["/api/p/1"] = answer(PRODUCT, delay_s=0.2)
    reading = await capturing.gone(visit(local_shop, "/p/1"))
    assert reading == PageReading(200, local_shop.url("/p/1/new"), SHIRT)


async def test_answers_to_the_last_visit_are_not_taken(capturing: Capturing, local_shop: LocalShop) -> None:
    """A page that keeps asking while the next one loads must lend it neither facts nor a status."""
    poll = "<body><script>setInterval(() => fetch('/api/p/old').catch(() => {}), 10)</script>"
    local_shop.replies["/old"] = html(poll)
    old = {"data": {"name": "Old", "price": 1, "ok": False}}
    local_shop.replies["/"] = html(ASKS, delay_s=0.5)
    local_shop.replies["/api/p/1"] = answer(PRODUCT, delay_s=0.2)
    for status in (200, 404):
        local_shop.replies["/api/p/old"] = answer(old)
        await capturing.read(visit(local_shop, "/old"))
        local_shop.replies["/api/p/old"] = answer(old, status=status)
        assert (await capturing.read(visit(local_shop))).facts == SHIRT


async def test_an_endless_script_ends_with_the_deadline(capturing: Capturing, local_shop: LocalShop) -> None:
    """The page never answers; Python does not wait for it."""
    local_shop.replies["/"] = html("<body><script>setTimeout(() => { for (;;); }, 50)</script>")
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await capturing.read(visit(local_shop, timeout_s=1))
    assert time.monotonic() - started < 2.5


async def test_a_crash_is_a_lost_page(capturing: Capturing, local_shop: LocalShop) -> None:
    """It is noticed at once, not at the deadline."""
    local_shop.replies["/"] = html("<body>")
    reading = asyncio.create_task(capturing.read(visit(local_shop)))
    await shown(capturing.handle.page, local_shop.url("/"))
    with contextlib.suppress(PlaywrightError):
        await capturing.handle.page.goto("chrome://crash", wait_until="commit", timeout=2000)
    with pytest.raises(PageLost):
        await reading


async def test_cancellation_leaves_nothing(capturing: Capturing, local_shop: LocalShop) -> None:
    """While the document loads, and while the answer is waited for."""
    local_shop.replies["/"] = html("<body>")
    local_shop.replies["/slow"] = html("<body>", delay_s=60)
    for path in ("/slow", "/"):
        reading = asyncio.create_task(capturing.read(visit(local_shop, path)))
        if path == "/":
            await shown(capturing.handle.page, local_shop.url(path))
        else:
            assert await until(lambda: "/slow" in local_shop.asked)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_a_failed_navigation_leaves_nothing(capturing: Capturing, local_shop: LocalShop) -> None:
    """Nor does one without a document."""
    local_shop.replies["/"] = Reply(status=204)
    with pytest.raises(VisitFailed, match="net::ERR_ABORTED"):
        await capturing.read(visit(local_shop))


async def test_hundreds_of_visits_keep_nothing(capturing: Capturing, local_shop: LocalShop) -> None:
    """What was heard is forgotten with the next visit."""
    local_shop.replies["/"] = html(ASKS)
    local_shop.replies["/api/p/1"] = answer(PRODUCT)
    for _ in range(50):
        reading = await capturing.read(visit(local_shop))
        assert reading.facts == SHIRT, reading
    assert len(capturing.handle.firewall.news.answers) == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_page_that_asks_again_is_waited_for(status: int, capturing: Capturing, local_shop: LocalShop) -> None:
    """Its first request is refused, for want of a token or for a moment; the second brings the product."""
    local_shop.replies["/"] = html(
        "<body><script>fetch('/api/p/1').then(() => setTimeout(() => fetch('/api/p/2'), 300))</script>"
    )
    local_shop.replies["/api/p/1"] = answer({"error": "token"}, status=status)
    local_shop.replies["/api/p/2"] = answer(PRODUCT)
    shop = platform(FIELDS, {"blocked": {"status": [403, 429]}}, strategy="api_capture", match="/api/p/*")
    reading = await capturing._read(load_strategy(shop), visit(local_shop))
    assert (reading.status, reading.facts) == (200, SHIRT)


async def test_a_refusal_that_stays_counts(capturing: Capturing, local_shop: LocalShop) -> None:
    """When the page does not ask again."""
    local_shop.replies["/"] = html(ASKS)
    local_shop.replies["/api/p/1"] = answer({"error": "token"}, status=403)
    shop = platform(FIELDS, {"blocked": {"status": [403]}}, strategy="api_capture", match="/api/p/*")
    reading = await capturing._read(load_strategy(shop), visit(local_shop))
    assert reading.status == 403


async def test_answers_that_were_not_kept_are_told(capturing: Capturing, local_shop: LocalShop) -> None:
    """Fifty are; the product's own may be among the others."""
    local_shop.replies["/"] = html(
        "<body><script>(async () => { for (let i = 0; i < 60; i += 1) await fetch('/api/p/x' + i) })()</script>"
    )
    local_shop.replies |= {f"/api/p/x{number}": answer({}) for number in range(60)}
    shop = platform(FIELDS, {}, strategy="api_capture", match="/api/p/*", within_ms=20_000)
    reading = await capturing._read(load_strategy(shop), visit(local_shop, timeout_s=12))
    assert any("10 more answers" in trouble for trouble in reading.troubles), reading.troubles
