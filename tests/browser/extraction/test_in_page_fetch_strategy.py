"""Answers that are fetched in a page stand for visits as long as they say the same, and no longer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page
from structlog.testing import capture_logs

from pagemill.errors import VisitGoesOn
from pagemill.extraction.judge import judge_reading
from pagemill.extraction.strategy import Strategy, Visit, load_strategy
from pagemill.model import Facts, PageReading, Verdict
from pagemill.telemetry import events
from tests.browser.extraction.local_shop import LocalShop, Reply, answer, html, platform, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIELDS: dict[str, Any] = {"name": "h1", "price": {"selector": ".price", "type": "number"}}
BY_API = {
    "url": "/api/{id}",
    "fields": {"name": "data.name", "price": {"path": "data.price", "type": "number"}},
    "sample_every": 10,
}
JUDGE = {"gone": {"text": ["No longer sold"]}, "blocked": {"text": ["Are you a robot"]}}
SHIRT: Facts = {"name": "Blue shirt", "price": 12900}
PAGE = "<body><h1>Blue shirt</h1><p class=price>12,900원</p>"


def strategy(**fetch: Any) -> Strategy:
    return load_strategy(platform(FIELDS, JUDGE, strategy="in_page_fetch", fetch=fetch))


def data(price: int | None = 12900, **how: Any) -> Reply:
    return answer({"data": {"name": "Blue shirt", "price": price}}, **how)


def stock(shop: LocalShop) -> None:
    """The same product by its page and by its API."""
    shop.replies["/"] = html(PAGE)
    shop.replies["/api/1"] = data()
    shop.asked.clear()


async def warm(reader: Strategy, page: Page, shop: LocalShop) -> None:
    """Three samples that agree; the page stands on the shop's origin then, and the answers are trusted."""
    stock(shop)
    for _ in range(3):
        assert not (await reader.read(page, visit(shop))).light
    shop.asked.clear()


def wanting(shop: LocalShop) -> Visit:
    """A visit of a product of which both facts are expected."""
    return visit(shop, name="Blue shirt", price=12900)


async def test_a_trusted_api_is_asked_instead_of_the_page(either_page: Page, local_shop: LocalShop) -> None:
    """One request, no document, and the page stays where it is."""
    reader = strategy(**BY_API)
    await warm(reader, either_page, local_shop)
    local_shop.replies["/api/2"] = data(5000)
    other = replace(visit(local_shop, "/other"), product=replace(visit(local_shop).product, id="2"))
    reading = await reader.read(either_page, other)
    assert reading == PageReading(200, local_shop.url("/other"), {"name": "Blue shirt", "price": 5000}, light=True)
    assert local_shop.asked == ["/api/2"]
    assert await either_page.evaluate("location.pathname") == "/"


async def test_without_an_api_the_document_is_fetched_and_read(either_page: Page, local_shop: LocalShop) -> None:
    """Its scripts do not run, its other resources are not loaded, and what they hide is not read."""
    reader = strategy(sample_every=10)
    await warm(reader, either_page, local_shop)
    hidden = "<noscript>Are you a robot</noscript><script>document.title = 'x'</script><img src=/photo.png>"
    local_shop.replies["/"] = html(PAGE + hidden)
    reading = await reader.read(either_page, wanting(local_shop))
    assert reading == PageReading(200, local_shop.url("/"), SHIRT, light=True)
    assert local_shop.asked == ["/"]


@pytest.mark.parametrize("charset", ["utf-8", "euc-kr"])
async def test_the_document_is_read_in_its_own_charset(charset: str, either_page: Page, local_shop: LocalShop) -> None:
    """Korean shops of a certain age do not write UTF-8."""
    reader = strategy(sample_every=10)
    await warm(reader, either_page, local_shop)
    body = f"<meta charset={charset}><body><h1>파란 셔츠</h1><p class=price>1원</p>".encode(charset)
    local_shop.replies["/"] = Reply((body,), headers=(("content-type", "text/html"),))
    assert (await reader.read(either_page, wanting(local_shop))).facts == {"name": "파란 셔츠", "price": 1}


@pytest.mark.parametrize(
    ("page", "status", "texts"),
    [
        (html("", status=404), 404, ()),
        (html("<p>x", status=403), 403, ()),
        (html("<p>No longer <b>sold</b>"), 200, ("No longer sold",)),
        (html("<p>Are you a robot?", status=503), 503, ("Are you a robot",)),
    ],
)
async def test_gone_and_blocked_are_told_by_the_document(
    page: Reply, status: int, texts: tuple[str, ...], either_page: Page, local_shop: LocalShop
) -> None:
    """An API's 404 can mean many things: the page's own address is asked before anything is said."""
    reader = strategy(**BY_API)
    await warm(reader, either_page, local_shop)
    local_shop.replies["/"] = page
    local_shop.replies["/api/1"] = answer({"error": "not found"}, status=404)
    reading = await reader.read(either_page, wanting(local_shop))
    assert (reading.status, reading.texts, reading.light) == (status, texts, True)
    assert local_shop.asked == ["/api/1", "/"]


async def test_an_api_that_blocks_is_believed(either_page: Page, local_shop: LocalShop) -> None:
    """Nobody asks again who has just been told that he asks too much."""
    reader = strategy(**BY_API)
    await warm(reader, either_page, local_shop)
    local_shop.replies["/api/1"] = answer({}, status=429)
    reading = await reader.read(either_page, wanting(local_shop))
    assert (reading.status, reading.ready) == (429, False)
    assert local_shop.asked == ["/api/1"]


@pytest.mark.parametrize(
    "api",
    [
        data(None),
        answer({"data": []}),
        answer({}, status=500),
        Reply((b"<html>",)),
        Reply((b"x" * 5_000_000,), headers=(("content-type", "application/json"),)),
        answer({}, status=302, headers=(("location", "http://127.0.0.1:1/"),)),
    ],
    ids=["a fact is missing", "another shape", "an error", "no JSON", "too large", "leads elsewhere"],
)
async def test_an_answer_that_is_not_whole_asks_for_a_full_visit(
    api: Reply, either_page: Page, local_shop: LocalShop
) -> None:
    """And the full visit, when it comes, is one."""
    reader = strategy(**BY_API)
    await warm(reader, either_page, local_shop)
    local_shop.replies["/api/1"] = api
    with pytest.raises(VisitGoesOn) as caught:
        await reader.read(either_page, wanting(local_shop))
    assert caught.value.light
    reading = await reader.read(either_page, replace(wanting(local_shop), so_far=caught.value.so_far))
    assert (reading.facts, reading.light) == (SHIRT, False)


async def test_a_page_on_another_origin_goes_to_the_shop_first(either_page: Page, local_shop: LocalShop) -> None:
    """A fresh page, for one: its first product is a sample, and nothing is asked from elsewhere."""
    reader = strategy(**BY_API)
    await warm(reader, either_page, local_shop)
    await either_page.goto("about:blank", wait_until="commit", timeout=5000)
    assert not (await reader.read(either_page, wanting(local_shop))).light
    assert local_shop.asked == ["/", "/api/1"]


async def test_a_sample_that_differs_ends_the_short_cut(either_page: Page, local_shop: LocalShop) -> None:
    """Within as many products as there are between two samples; it comes back when answers agree again."""
    reader = strategy(**BY_API)
    with capture_logs() as lines:
        await warm(reader, either_page, local_shop)
        local_shop.replies["/api/1"] = data(99)
        light = [(await reader.read(either_page, wanting(local_shop))).light for _ in range(20)]
    assert light.count(True) < 10
    assert light[10:] == [False] * 10
    said = [line for line in lines if line["event"] in (events.FETCH_TRUSTED, events.FETCH_DISTRUSTED)]
    assert [line["event"] for line in said] == [events.FETCH_TRUSTED, events.FETCH_DISTRUSTED]
    assert said[1]["reason"] == "price: 12900, fetched 99"
    stock(local_shop)
    light = [(await reader.read(either_page, wanting(local_shop))).light for _ in range(40)]
    assert any(light)


async def test_a_product_that_the_page_calls_gone_and_the_api_does_not(
    either_page: Page, local_shop: LocalShop
) -> None:
    """That is a difference, although there is no fact to compare."""
    reader = strategy(**BY_API)
    await warm(reader, either_page, local_shop)
    local_shop.replies["/"] = html("", status=404)
    light = [(await reader.read(either_page, wanting(local_shop))).light for _ in range(10)]
    assert light[-1] is False
    assert [(await reader.read(either_page, wanting(local_shop))).light for _ in range(5)] == [False] * 5


async def test_a_page_that_fails_for_its_own_reasons_says_nothing_about_the_api(
    either_page: Page, local_shop: LocalShop
) -> None:
    """The sample fails, and trust stays."""
    reader = strategy(**BY_API)
    await warm(reader, either_page, local_shop)
    local_shop.replies["/"] = html("<body>", status=500)
    light = [(await reader.read(either_page, wanting(local_shop))).light for _ in range(12)]
    assert light.count(False) == 1


@pytest.mark.parametrize(
    ("fields", "markup"),
    [
        (FIELDS, "<div class=off>No longer sold</div>"),
        (
            {**FIELDS, "s": {"text_of": "body", "map": {"Sold out": "no"}, "else": "yes"}},
            "<b class=off>Sold out</b>",
        ),
        (
            {**FIELDS, "s": {"selector": "button", "visible": True, "map": {"Buy": "yes", "Out": "no"}}},
            "<button class=off>Out</button><button>Buy</button>",
        ),
        ({**FIELDS, "s": {"selector": "b", "visible": True, "exists": True}}, "<b class=off>Out</b>"),
    ],
    ids=["a sign", "a text", "buttons", "presence"],
)
async def test_what_only_eyes_can_tell_is_for_a_full_visit(
    fields: dict[str, Any], markup: str, either_page: Page, local_shop: LocalShop
) -> None:
    """A style sheet may hide it, and a document that was fetched has none. That says nothing of the shop's answers."""
    rules = platform(fields, JUDGE, strategy="in_page_fetch", fetch={"sample_every": 1000})
    reader = load_strategy(rules)
    plain = PAGE + "<button>Buy</button>"
    local_shop.replies["/"] = html(plain)
    for _ in range(3):
        assert not (await reader.read(either_page, visit(local_shop))).light
    assert (await reader.read(either_page, wanting(local_shop))).light
    local_shop.replies["/"] = html("<style>.off { display: none }</style>" + plain + markup)
    for _ in range(12):
        with pytest.raises(VisitGoesOn) as caught:
            await reader.read(either_page, wanting(local_shop))
        reading = await reader.read(either_page, replace(wanting(local_shop), so_far=caught.value.so_far))
        assert not reading.light
        assert judge_reading(wanting(local_shop).product, reading, rules.judge).verdict is Verdict.OK
        assert reading.facts.get("s") in (None, "yes", False)
    local_shop.replies["/"] = html(plain)
    assert (await reader.read(either_page, wanting(local_shop))).light


async def test_the_word_of_an_api_that_says_gone_is_believed(either_page: Page, local_shop: LocalShop) -> None:
    """Nothing else is asked, though it has no facts."""
    rules = {"gone": {"error": {"path": "error.code", "words": ["NO_GOODS"]}}}
    reader = load_strategy(platform(FIELDS, rules, strategy="in_page_fetch", fetch=BY_API))
    await warm(reader, either_page, local_shop)
    local_shop.replies["/api/1"] = answer({"error": {"code": "NO_GOODS"}})
    reading = await reader.read(either_page, wanting(local_shop))
    assert (reading.light, reading.errors) == (True, (("error.code", "NO_GOODS"),))
    assert local_shop.asked == ["/api/1"]
