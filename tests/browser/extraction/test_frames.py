"""`frame:` reads what stands in a frame of the shop's own, and says so where a frame is out of reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from pagemill.browser.cdp.launcher import CdpLauncher
from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine
from pagemill.config.settings import BrowserSettings, PoolSettings
from tests.browser.extraction.local_shop import LocalShop, Reply, html
from tests.browser.extraction.shop_reader import ShopReader

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HEAD = "<!doctype html><meta charset=utf-8><h1>Blue cup</h1>"
PRICE = "<!doctype html><p class=price>12,900</p>"
SHOP = """extract:
  sources:
    - fields: {name: h1}
    - {strategy: dom, frame: iframe.detail, fields: {price: {selector: .price, type: number}}}
"""
EXPECTED = {"name": "Blue cup", "price": 12900}
FRAME = "<iframe class=detail src=/detail width=300 height=200></iframe>"

PAGES = {
    "in the page": FRAME,
    "put in later": f"<script>setTimeout(() => {{ document.body.innerHTML += {FRAME!r} }}, 200)</script>",
    "led elsewhere": FRAME.replace("/detail", "about:blank")
    + "<script>setTimeout(() => { document.querySelector('iframe').src = '/detail' }, 200)</script>",
    "in a shadow root": f"<a-part><template shadowrootmode=open>{FRAME}</template></a-part>",
    "srcdoc": FRAME.replace("src=/detail", f'srcdoc="{PRICE}"'),
}


@dataclass(frozen=True)
class Home:
    """The shop that has the frames' documents, and how a page names it."""

    shop: LocalShop
    prefix: str

    def page(self, text: str) -> Reply:
        """A page whose frames are at home."""
        return html(HEAD, text.replace("/detail", f"{self.prefix}/detail"))


@pytest_asyncio.fixture(loop_scope="module", params=["the page's origin", "another origin"])
async def home(request: pytest.FixtureRequest, local_shop: LocalShop) -> AsyncIterator[Home]:
    """The page's own shop, or another one of the same host."""
    if request.param == "the page's origin":
        yield Home(local_shop, "")
        return
    async with LocalShop.open() as other:
        yield Home(other, other.base)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
async def test_a_frame_is_read(page: str, shop_reader: ShopReader, local_shop: LocalShop, home: Home) -> None:
    """Whatever way it came there, and though it answers later than the page."""
    local_shop.replies["/p/1"] = home.page(page)
    home.shop.replies["/detail"] = html(PRICE, delay_s=0.7)
    read = await shop_reader.read(SHOP, local_shop.url("/p/1"), EXPECTED)
    assert read.verdict == "ok", read.judgement


async def test_what_a_frame_fills_in_is_waited_for(quick_reader: ShopReader, local_shop: LocalShop, home: Home) -> None:
    """Changes in a frame are no changes of the page."""
    local_shop.replies["/p/1"] = home.page(FRAME)
    steps = "".join(
        f"setTimeout(() => {{ document.body.dataset.step = {n}; if ({n} === 4) document.body.innerHTML = "
        f"'<p class=price>12,900</p>' }}, {n * 250});"
        for n in range(1, 5)
    )
    home.shop.replies["/detail"] = html(f"<body><script>{steps}</script>")
    assert (await quick_reader.read(SHOP, local_shop.url("/p/1"), EXPECTED)).verdict == "ok"


async def test_a_ready_sign_waits_for_the_frame_as_well(
    quick_reader: ShopReader, local_shop: LocalShop, home: Home
) -> None:
    """It stands in the page, and is there before the frame has loaded."""
    local_shop.replies["/p/1"] = home.page(FRAME)
    home.shop.replies["/detail"] = html(PRICE, delay_s=0.7)
    shop = SHOP.replace("extract:", "extract:\n  ready: h1")
    assert (await quick_reader.read(shop, local_shop.url("/p/1"), EXPECTED)).verdict == "ok"


RULES = {
    "what is visible": ("{selector: .offer, visible: true, type: number}", 12900),
    "presence": ("{selector: .gift, exists: true}", True),
    "presence that is seen": ("{selector: .gift, exists: true, visible: true}", False),
    "words": ("{text_of: body, map: {A gift: -1, In stock: 12900}}", 12900),
    "a shadow root within": ("{selector: .deep, type: number}", 7),
}


@pytest.mark.parametrize(("rule", "value"), RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("is_hidden", [False, True], ids=["seen", "hidden"])
async def test_every_way_to_read_an_element_holds(
    rule: str, value: object, is_hidden: bool, quick_reader: ShopReader, local_shop: LocalShop, home: Home
) -> None:
    """What stands in a frame is seen as far as the frame is."""
    deep = "<a-part><template shadowrootmode=open><i class=deep>7</i></template></a-part>"
    home.shop.replies["/detail"] = html(
        "<!doctype html><p hidden class=offer>1</p><p class=offer>12,900</p><p hidden class=gift>A gift</p>",
        f"{deep}In stock",
    )
    hidden = FRAME.replace("<iframe", "<iframe style='opacity: 0'")
    local_shop.replies["/p/1"] = home.page(hidden if is_hidden else FRAME)
    shop = SHOP.replace("{selector: .price, type: number}", rule)
    read = await quick_reader.read(shop, local_shop.url("/p/1"), {"name": "Blue cup"})
    expected = value
    if is_hidden and rule.startswith("{text_of"):
        expected = None
    elif is_hidden and "offer" in rule:
        expected = 1  # invisible ones count where no visible one does
    assert read.facts.get("price") == expected, read.reading.told


APART = html(PRICE, headers=(("content-type", "text/html; charset=utf-8"), ("origin-agent-cluster", "?1")))

TROUBLES = {
    "none": ("", "frame iframe.detail: there is no such frame"),
    "no frame": (f"<div class=detail>{PRICE}</div>", "frame iframe.detail: there is no such frame"),
    "another host": (
        "<iframe class=detail src={stranger}/detail></iframe>",
        "frame iframe.detail: it has not loaded",
    ),
    "no host": (
        "<iframe class=detail src='data:text/html,<p class=price>12,900'></iframe>",
        "frame iframe.detail: its document is not of one of the hosts",
    ),
    "an error": (
        "<iframe class=detail src={other}/none></iframe>",
        "frame iframe.detail: it has not loaded",
    ),
    "a process of its own": (
        "<iframe class=detail src={other}/apart></iframe>",
        "frame iframe.detail: it is in a process of its own (browser.extra_args: --disable-site-isolation-trials)",
    ),
    "silent": ("<iframe class=detail src=/never></iframe>", "frame iframe.detail: it has not loaded"),
}


@pytest.mark.parametrize(("page", "why"), TROUBLES.values(), ids=TROUBLES.keys())
async def test_a_frame_that_is_out_of_reach_is_told(
    page: str, why: str, shop_reader: ShopReader, local_shop: LocalShop
) -> None:
    """In the reason; and nothing is said of what would stand there, not even that it is missing."""
    local_shop.replies["/never"] = html("", delay_s=60)
    async with LocalShop.open() as other:
        other.replies["/detail"] = html(PRICE)
        other.replies["/apart"] = APART
        stranger = other.base.replace("127.0.0.1", "127.0.0.2")
        local_shop.replies["/p/1"] = html(HEAD, page.format(other=other.base, stranger=stranger))
        shop = SHOP.replace("type: number}", "type: number}, gift: {selector: .gift, exists: true}")
        read = await shop_reader.read(shop, local_shop.url("/p/1"), EXPECTED, timeout_s=8)
    assert (read.verdict, read.facts) == ("failed", {"name": "Blue cup"})
    assert f"price ({why})" in read.judgement.reason


@pytest.mark.parametrize("page", ["in the page", "srcdoc"])
async def test_a_frame_in_a_sandbox_is_read(page: str, shop_reader: ShopReader, local_shop: LocalShop) -> None:
    """It has an origin of its own, and no scripts run there but those of the reader."""
    local_shop.replies["/p/1"] = html(HEAD + PAGES[page].replace("<iframe", "<iframe sandbox"))
    local_shop.replies["/detail"] = html(PRICE, delay_s=0.7)
    assert (await shop_reader.read(SHOP, local_shop.url("/p/1"), EXPECTED)).verdict == "ok"


async def test_a_frame_that_replaces_everything_is_read(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """Its scripts are out of the reader's way, as the page's are."""
    breaks = "Document.prototype.querySelector = () => null; Array.prototype.push = () => { throw 1 }; Promise = null"
    async with LocalShop.open() as other:
        other.replies["/detail"] = html(f"<script>{breaks}</script>{PRICE}")
        local_shop.replies["/p/1"] = html(HEAD, FRAME.replace("/detail", other.url("/detail")))
        assert (await quick_reader.read(SHOP, local_shop.url("/p/1"), EXPECTED)).verdict == "ok"


async def test_the_same_frame_of_several_fields_is_read_once(quick_reader: ShopReader, local_shop: LocalShop) -> None:
    """And one that says nothing of a field says so."""
    shop = SHOP.replace("type: number}", "type: number}, brand: .brand, gift: {selector: .gift, exists: true}")
    async with LocalShop.open() as other:
        other.replies["/detail"] = html(PRICE)
        local_shop.replies["/p/1"] = html(HEAD, FRAME.replace("/detail", other.url("/detail")))
        read = await quick_reader.read(shop, local_shop.url("/p/1"), EXPECTED, explain=True)
        assert other.asked == ["/detail"]
    assert read.facts == {"name": "Blue cup", "price": 12900, "gift": False}
    assert [(entry.state, entry.places) for entry in read.reading.told["price"]] == [("said", 1)]
    assert [entry.state for entry in read.reading.told["brand"]] == ["not_found"]


async def test_without_site_isolation_each_frame_is_read(chromium_program: Path, local_shop: LocalShop) -> None:
    """As the reason says that one was not."""
    settings = BrowserSettings(extra_args=("--disable-site-isolation-trials",))
    launcher = CdpLauncher(
        chromium_program, launch_options(settings, examine_machine(), 1, frozenset()), PoolSettings()
    )
    browser = await launcher.launch(await launcher.start_driver(lambda: None), lambda: None)
    async with LocalShop.open() as other:
        other.replies["/detail"] = APART
        local_shop.replies["/p/1"] = html(HEAD, FRAME.replace("/detail", other.url("/detail")))
        read = await ShopReader(launcher, browser).read(SHOP, local_shop.url("/p/1"), EXPECTED)
    await launcher.close_browser(browser)
    assert read.verdict == "ok", read.judgement
