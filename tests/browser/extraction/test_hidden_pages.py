"""Pages that nobody looks at: what needs no frames is read without any, and what needs some is read all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from pagemill.browser.cdp.launcher import CdpLauncher
from pagemill.browser.opener import BrowserHandle
from pagemill.config.platform import Platform
from pagemill.extraction.artifacts import take_screenshot
from pagemill.extraction.strategy import Strategy, load_strategy
from pagemill.model import Facts, PageReading
from tests.browser.extraction.local_shop import LocalShop, html, platform, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIELDS: dict[str, Any] = {"name": "h1", "price": {"selector": ".price", "type": "number"}}
SHIRT: Facts = {"name": "Blue shirt", "price": 12900}
HEAD = "<h1>Blue shirt</h1><p class=price></p>"
FILL = "document.querySelector('.price').textContent = '12,900원';"
READY = "document.body.dataset.ready = '';"
WHEN: dict[str, str] = {
    "a frame": "requestAnimationFrame(() => { %s });",
    "many frames": "let n = 0; const step = () => { if (++n < 10) requestAnimationFrame(step); else { %s } };"
    "requestAnimationFrame(step);",
    "slow frames": "let n = 0; const step = () => { const end = performance.now() + 100;"
    "while (performance.now() < end); if (++n < 10) requestAnimationFrame(step); else { %s } };"
    "requestAnimationFrame(step);",
    "being in view": "new IntersectionObserver((found) => { if (found[0].isIntersecting) { %s } })"
    ".observe(document.querySelector('.price'));",
    "its size": "new ResizeObserver(() => { %s }).observe(document.body);",
    "being visible": "const go = () => { if (!document.hidden) { %s } };"
    "document.addEventListener('visibilitychange', go); go();",
    "the end of an animation": "document.querySelector('h1').animate([{opacity: 0}, {opacity: 1}], 100)"
    ".finished.then(() => { %s });",
}
"""What a shop's script may wait for, besides the network and the clock."""


def dom(**extract: Any) -> Strategy:
    return load_strategy(platform(FIELDS, **extract))


async def is_hidden(page: Page) -> bool:
    return bool(await page.evaluate("() => document.hidden"))


async def test_content_that_needs_no_frame_is_read_without_any(driverless_page: Page, local_shop: LocalShop) -> None:
    """Timers run and fetches come as they would in front."""
    script = f"setTimeout(() => fetch('/price').then(() => {{ {FILL} {READY} }}), 100)"
    local_shop.replies |= {"/": html(f"<body>{HEAD}<script>{script}</script>"), "/price": html("")}
    for _ in range(3):
        started = time.monotonic()
        reading = await dom(ready="body[data-ready]").read(driverless_page, visit(local_shop))
        assert reading == PageReading(200, local_shop.url("/"), SHIRT)
        assert time.monotonic() - started < 1.5
    assert await is_hidden(driverless_page)


@pytest.mark.parametrize("ready", [None, "body[data-ready]", "h1"])
@pytest.mark.parametrize("what", WHEN)
async def test_content_that_hangs_on_being_drawn_is_read(
    driverless_page: Page, local_shop: LocalShop, what: str, ready: str | None
) -> None:
    """With a sign that comes together with the content, without any, and with one that is there too early."""
    script = WHEN[what] % f"{FILL} {READY}"
    local_shop.replies["/"] = html(f"<body>{HEAD}<script>{script}</script>")
    strategy = dom(ready=ready)
    reading = await strategy.read(driverless_page, visit(local_shop))
    assert reading == PageReading(200, local_shop.url("/"), SHIRT)
    assert not await is_hidden(driverless_page)


async def test_what_is_fetched_once_in_view_is_waited_for(driverless_page: Page, local_shop: LocalShop) -> None:
    """Although the ready sign has been there all the time."""
    script = WHEN["being in view"] % f"fetch('/price').then(() => {{ {FILL} }})"
    local_shop.replies |= {
        "/": html(f"<body data-ready>{HEAD}<script>{script}</script>"),
        "/price": html("", delay_s=0.2),
    }
    reading = await dom(ready="body[data-ready]").read(driverless_page, visit(local_shop))
    assert reading.facts == SHIRT


async def test_a_field_that_is_not_there_costs_one_moment(driverless_page: Page, local_shop: LocalShop) -> None:
    """Once for the page that was shown for it, not for each product."""
    local_shop.replies["/"] = html("<body data-ready><h1>Blue shirt</h1>")
    strategy = dom(ready="body[data-ready]")
    took_s = []
    for _ in range(3):
        started = time.monotonic()
        reading = await strategy.read(driverless_page, visit(local_shop))
        assert reading == PageReading(200, local_shop.url("/"), {"name": "Blue shirt", "price": None})
        took_s.append(time.monotonic() - started)
    assert max(took_s[1:]) < took_s[0]
    assert not await is_hidden(driverless_page)


async def test_a_page_that_never_shows_its_content_takes_the_visits_time(
    driverless_page: Page, local_shop: LocalShop
) -> None:
    """Being shown in between does not make it longer, and is no reason to call it ready."""
    local_shop.replies["/"] = html(f"<body>{HEAD}")
    started = time.monotonic()
    reading = await dom(ready="body[data-ready]").read(driverless_page, visit(local_shop, timeout_s=4))
    assert not reading.ready
    assert 2.5 < time.monotonic() - started < 4


async def test_a_page_whose_fields_are_half_there_at_the_end_is_read(
    driverless_page: Page, local_shop: LocalShop
) -> None:
    """A document that never ends loading, with its sign there and a field missing: as in front."""
    local_shop.replies |= {
        "/": html(f"<body data-ready>{HEAD}<img src=/slow>"),
        "/slow": html("", delay_s=30),
    }
    started = time.monotonic()
    reading = await dom(ready="body[data-ready]").read(driverless_page, visit(local_shop))
    assert reading == PageReading(200, local_shop.url("/"), {"name": "Blue shirt", "price": None})
    assert time.monotonic() - started < 5


async def test_structured_data_that_a_frame_brings_is_read(driverless_page: Page, local_shop: LocalShop) -> None:
    """The other strategy that waits in a page."""
    data = '{"@type": "Product", "name": "Blue shirt"}'
    script = WHEN["a frame"] % (
        "const node = document.createElement('script'); node.type = 'application/ld+json';"
        f"node.textContent = {data!r}; document.body.append(node);"
    )
    local_shop.replies["/"] = html(f"<body><script>{script}</script>")
    reading = await load_strategy(platform({"name": "name"}, strategy="jsonld")).read(
        driverless_page, visit(local_shop)
    )
    assert reading.facts == {"name": "Blue shirt"}


async def test_a_picture_of_a_hidden_page_can_be_taken(driverless_page: Page, local_shop: LocalShop) -> None:
    """It is shown for that."""
    local_shop.replies["/"] = html(f"<body data-ready>{HEAD}<script>{FILL}</script>")
    await dom(ready="body[data-ready]").read(driverless_page, visit(local_shop))
    assert await is_hidden(driverless_page)
    picture = await asyncio.wait_for(take_screenshot(driverless_page), 5)
    assert picture.startswith(b"\xff\xd8")


@pytest_asyncio.fixture(loop_scope="module")
async def drawn_page(driverless: tuple[CdpLauncher, BrowserHandle]) -> AsyncIterator[Page]:
    """A page of a platform that has its pages drawn always."""
    launcher, browser = driverless
    shop = platform(FIELDS).model_dump(exclude_defaults=True) | {"navigation": {"draw": "always"}}
    always = Platform.model_validate(shop)
    context = await launcher.open_context(browser, always)
    yield (await launcher.open_page(context, always)).page
    await launcher.close_context(context)


async def test_a_platform_can_have_its_pages_drawn_always(drawn_page: Page, local_shop: LocalShop) -> None:
    """Then nothing waits for being shown."""
    local_shop.replies["/"] = html(f"<body>{HEAD}<script>{WHEN['a frame'] % (FILL + READY)}</script>")
    started = time.monotonic()
    reading = await dom(ready="body[data-ready]").read(drawn_page, visit(local_shop))
    assert reading.facts == SHIRT
    assert time.monotonic() - started < 1.5
