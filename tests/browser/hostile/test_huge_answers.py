"""Answers of 600 MB, by every way on which an answer comes: Python takes none of it in, and judges by no part of it."""

from __future__ import annotations

import pytest

from tests.browser.extraction.local_shop import LocalShop, Reply, html
from tests.browser.hostile.cup import (
    BEGINNING,
    END,
    HEADING,
    HTML,
    HUGE_MB,
    JSON,
    PAGE,
    flood,
    platform,
    visited,
)
from tests.browser.hostile.lanes import Lanes

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_LD = b'<script type=application/ld+json>{"@type": "Product", "offers": {"price": 12900}, "name": "Blue cup'
_DOCUMENTS = {
    "a heading": ("dom", b"<p class=price>12,900</p><h1>Blue cup", b"</h1>", HTML, "length"),
    "behind the product": ("dom", HEADING.encode(), b"", HTML, "endless"),
    "packed": ("dom", b"<p class=price>12,900</p><h1>Blue cup", b"</h1>", HTML, "packed"),
    "structured": ("structured", _LD, b'"}</script>', HTML, "chunked"),
    "jsonld": ("jsonld", _LD, b'"}</script>', HTML, "length"),
    "state": ("state", b"<script id=state type=application/json>" + BEGINNING, END + b"</script>", HTML, "length"),
    "JSON": ("document", BEGINNING, END, JSON, "length"),
}


@pytest.mark.parametrize("case", _DOCUMENTS)
async def test_a_document(case: str, lanes: Lanes, local_shop: LocalShop) -> None:
    """It fails, or it is what its beginning says: the product, and something endless behind it."""
    source, begin, end, kind, how = _DOCUMENTS[case]
    local_shop.replies["/p/bad"] = flood(begin, end, kind, how)
    bad, _ = await visited(lanes, local_shop, platform(local_shop, source))
    assert bad.verdict == "failed" or case == "behind the product"


@pytest.mark.parametrize("how", ["length", "chunked", "lying", "packed", "endless"])
async def test_a_captured_answer(how: str, lanes: Lanes, local_shop: LocalShop) -> None:
    """It does not count, and the reason says why, whatever length it says that it has."""
    local_shop.replies |= {
        "/p/bad": html("<script>fetch('/api/bad')</script>"),
        "/api/bad": flood(BEGINNING, END, JSON, how),
    }
    bad, _ = await visited(lanes, local_shop, platform(local_shop, "api_capture", attempts=1))
    assert bad.verdict == "failed"
    assert "/api/bad (it is longer than 4000000 bytes)" in bad.reason


@pytest.mark.parametrize("how", ["length", "chunked", "lying", "packed", "packed twice", "endless"])
async def test_an_answer_without_a_page(how: str, quick_lanes: Lanes, local_shop: LocalShop) -> None:
    """Nothing is unpacked that is longer than may be read; an answer is packed once."""
    local_shop.replies["/api/bad"] = flood(BEGINNING, END, JSON, how)
    bad, _ = await visited(quick_lanes, local_shop, platform(local_shop, "http", attempts=1))
    assert bad.verdict == "failed"
    assert ("packed as 'gzip, gzip'" if how == "packed twice" else "longer than 4000000 bytes") in bad.reason


async def test_an_answer_without_a_page_in_a_packing_that_was_not_asked_for(
    quick_lanes: Lanes, local_shop: LocalShop
) -> None:
    """No program is asked to unpack it, whichever may be installed."""
    local_shop.replies["/api/bad"] = Reply((b"\x1b",) * 9, headers=(JSON, ("content-encoding", "br")))
    bad, _ = await visited(quick_lanes, local_shop, platform(local_shop, "http", attempts=1))
    assert "packed as 'br'" in bad.reason


@pytest.mark.parametrize("how", ["length", "packed"])
@pytest.mark.parametrize("what", ["API", "document"])
async def test_an_answer_that_the_page_fetches_for_us(what: str, how: str, lanes: Lanes, local_shop: LocalShop) -> None:
    """The page itself is visited instead."""
    if what == "API":
        local_shop.replies |= {"/api/bad": flood(BEGINNING, END, JSON, how), "/p/bad": html(PAGE)}
    else:
        local_shop.replies["/p/bad"] = flood(HEADING.encode(), b"", HTML, how)
    before = len(local_shop.asked)
    bad, _ = await visited(lanes, local_shop, platform(local_shop, f"fetch of the {what}"), warm=4)
    asked = local_shop.asked[before:]
    assert asked.count("/p/bad") >= (1 if what == "API" else 2)
    assert bad.verdict == "ok" or what == "document"


async def test_many_answers_that_together_are_too_much(lanes: Lanes, local_shop: LocalShop) -> None:
    """Of one visit 16 MB are kept, those that are still being read included."""
    count = HUGE_MB // 3
    local_shop.replies |= {
        "/p/bad": html(f"<script>for (let i = 0; i < {count}; i++) fetch('/api/bad?' + i)</script>"),
        "/api/bad": flood(b'{"more": "', END, JSON, "chunked", size_mb=3),
    }
    bad, _ = await visited(lanes, local_shop, platform(local_shop, "api_capture"))
    assert bad.verdict == "failed"
