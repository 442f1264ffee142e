"""Strategy `dom` against real pages, kind and unkind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from pagemill.errors import DeadlineExceeded, ItemError, PageLost, VisitFailed
from pagemill.extraction.judge import judge_reading
from pagemill.extraction.page_spec import MAX_URL
from pagemill.extraction.strategy import Strategy, load_strategy
from pagemill.model import Facts, PageReading, Verdict
from tests.browser.extraction.local_shop import LocalShop, Reply, html, listeners, platform, shown, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIELDS: dict[str, Any] = {
    "name": "h1",
    "price": {"selector": ".price", "type": "number"},
    "in_stock": {"selector": ".stock", "equals": "in"},
    "image": {"selector": "img", "attribute": "src"},
}
SHIRT: Facts = {"name": "Blue shirt", "price": 12900, "in_stock": True, "image": "/1.jpg"}
GONE = {"gone": {"text": ["No longer  sold"]}, "blocked": {"text": ["Are you a robot"]}}
BODY = '<h1> Blue\n shirt </h1><p class="price">12,900원</p><p class="stock">in</p><img src="/1.jpg">'
SHELL = '<h1></h1><p class="price"></p><p class="stock"></p><img src="/1.jpg">'
FILL = """document.querySelector("h1").textContent = "Blue shirt";
document.querySelector(".price").textContent = "12,900원";
document.querySelector(".stock").textContent = "in";"""


def dom(ready: str | None = "body[data-ready]", judge: dict[str, Any] | None = None) -> Strategy:
    return load_strategy(platform(FIELDS, judge, **({} if ready is None else {"ready": ready})))


async def test_reads_a_page_that_is_ready(either_page: Page, local_shop: LocalShop) -> None:
    """Text is collapsed, numbers and booleans are read, attributes too."""
    local_shop.replies["/"] = html(f"<body data-ready>{BODY}")
    reading = await dom().read(either_page, visit(local_shop))
    assert reading == PageReading(200, local_shop.url("/"), SHIRT)


async def test_waits_for_late_hydration(either_page: Page, local_shop: LocalShop) -> None:
    """The ready sign comes long after `load`, by an attribute alone."""
    local_shop.replies["/"] = html(
        f"<body>{SHELL}<script>addEventListener('load', () => setTimeout(() => {{ {FILL}"
        " document.body.dataset.ready = ''; }, 700))</script>"
    )
    started = time.monotonic()
    reading = await dom().read(either_page, visit(local_shop))
    assert reading.facts == SHIRT
    assert 0.7 < time.monotonic() - started < 3


async def test_without_a_ready_sign_every_field_is_waited_for(either_page: Page, local_shop: LocalShop) -> None:
    """Empty elements of a shell are not the content."""
    local_shop.replies["/"] = html(f"<body>{SHELL}<script>setTimeout(() => {{ {FILL} }}, 200)</script>")
    reading = await dom(ready=None).read(either_page, visit(local_shop))
    assert reading == PageReading(200, local_shop.url("/"), SHIRT)


async def test_without_a_ready_sign_a_loaded_quiet_page_is_read(either_page: Page, local_shop: LocalShop) -> None:
    """A field that the page does not have costs a moment, not the whole time."""
    local_shop.replies["/"] = html("<body><h1>Blue shirt</h1>")
    started = time.monotonic()
    reading = await dom(ready=None).read(either_page, visit(local_shop))
    assert reading.ready
    assert reading.facts == {"name": "Blue shirt", "price": None, "in_stock": None, "image": None}
    assert time.monotonic() - started < 3


async def test_a_restless_page_is_read_all_the_same(either_page: Page, local_shop: LocalShop) -> None:
    """A countdown that never stops does not count as loading."""
    local_shop.replies["/"] = html(
        "<body><h1>Blue shirt</h1><i></i><script>setInterval(() => {"
        " document.querySelector('i').textContent = Date.now(); }, 20)</script>"
    )
    started = time.monotonic()
    reading = await dom(ready=None).read(either_page, visit(local_shop))
    assert reading.ready
    assert time.monotonic() - started < 5


async def test_half_a_text_is_never_read(either_page: Page, local_shop: LocalShop) -> None:
    """The server pauses in the middle of the price, with the ready sign and everything else long there."""
    price = '<p class="price">12,900원</p>'
    head, tail = f"<body data-ready>{BODY.replace(price, '')}{price}".split(",900")
    local_shop.replies["/"] = html(head, ",900" + tail, pause_s=0.4)
    reading = await dom().read(either_page, visit(local_shop))
    assert reading.facts == SHIRT


async def test_what_never_appears_is_not_ready(either_page: Page, local_shop: LocalShop) -> None:
    """In the given time, with what was there."""
    local_shop.replies["/"] = html("<body><h1>Blue shirt</h1>")
    started = time.monotonic()
    reading = await dom().read(either_page, visit(local_shop, timeout_s=2))
    assert not reading.ready
    assert reading.facts["name"] == "Blue shirt"
    assert 1.2 < time.monotonic() - started < 3


async def test_a_text_ends_the_wait(either_page: Page, local_shop: LocalShop) -> None:
    """A shop that says with status 200 that the product is gone, in other letters and white space."""
    local_shop.replies["/"] = html(
        "<body><p></p><script>setTimeout(() => {"
        " document.querySelector('p').innerHTML = 'NO <b>longer</b>\\n sold'; }, 400)</script>"
    )
    started = time.monotonic()
    rules = platform(FIELDS, GONE, ready="body[data-ready]")
    reading = await load_strategy(rules).read(either_page, a_visit := visit(local_shop))
    assert reading.texts == ("No longer  sold",)
    assert judge_reading(a_visit.product, reading, rules.judge).verdict is Verdict.GONE
    assert time.monotonic() - started < 3


async def test_a_text_in_a_script_is_not_in_the_page(either_page: Page, local_shop: LocalShop) -> None:
    """Shops ship all their messages with every page."""
    messages = "<script>const messages = {gone: 'No longer sold'}</script><style>/* Are you a robot */</style>"
    local_shop.replies["/"] = html(f"<body data-ready>{messages}{BODY}")
    reading = await dom(judge=GONE).read(either_page, visit(local_shop))
    assert reading.ready
    assert reading.texts == ()


@pytest.mark.parametrize("text", ["(404) $1 ^a|b* c+? [x] {y} \\d", "a-b #1 & ~2 / 3", "상품이 존재하지 않습니다"])
async def test_a_text_stands_for_itself(text: str, either_page: Page, local_shop: LocalShop) -> None:
    """Signs that mean something in a regular expression mean nothing here."""
    local_shop.replies["/"] = html(f"<body data-ready>{BODY}<p>{text.replace('&', '&amp;')}")
    judge = {"gone": {"text": [text, text.replace("1", "2").replace("존", "않")]}}
    assert (await dom(judge=judge).read(either_page, visit(local_shop))).texts == (text,)


async def test_texts_of_a_ready_page_are_reported(either_page: Page, local_shop: LocalShop) -> None:
    """The ready sign does not hide them."""
    local_shop.replies["/"] = html(f"<title>Are you a robot?</title><body data-ready>{BODY}")
    reading = await dom(judge=GONE).read(either_page, visit(local_shop))
    assert reading.ready
    assert reading.texts == ("Are you a robot",)


@pytest.mark.parametrize("status", [404, 403, 500])
async def test_a_telling_status_ends_the_visit_at_once(status: int, either_page: Page, local_shop: LocalShop) -> None:
    """Nothing in the page could change the verdict, so it is not waited for."""
    local_shop.replies["/"] = html("<body>", status=status)
    started = time.monotonic()
    reading = await dom().read(either_page, visit(local_shop))
    assert reading == PageReading(status, local_shop.url("/"), {}, ready=False)
    assert time.monotonic() - started < 2


async def test_an_empty_answer_keeps_its_status(either_page: Page, local_shop: LocalShop) -> None:
    """Chromium shows a page of its own then; the shop still said 404."""
    local_shop.replies["/"] = html("", status=404)
    assert (await dom().read(either_page, visit(local_shop))).status == 404


async def test_a_failing_shop_may_still_say_why(either_page: Page, local_shop: LocalShop) -> None:
    """With texts to look for, a 503 is looked at once, when it has loaded."""
    local_shop.replies["/"] = html("<body><p>Are you a robot?</p>", status=503)
    local_shop.replies["/bare"] = html("<body><p>Sorry</p>", status=503)
    started = time.monotonic()
    assert (await dom(judge=GONE).read(either_page, visit(local_shop))).texts == ("Are you a robot",)
    assert (await dom(judge=GONE).read(either_page, visit(local_shop, "/bare"))).texts == ()
    assert time.monotonic() - started < 4


async def test_a_client_redirect_is_followed(either_page: Page, local_shop: LocalShop) -> None:
    """The document is replaced under the wait; the new one is read, and its address is told."""
    local_shop.replies["/p/17"] = html("<body><script>setTimeout(() => { location.href = '/p/17/new'; }, 150)</script>")
    local_shop.replies["/p/17/new"] = html(f"<body data-ready>{BODY}")
    reading = await dom().read(either_page, visit(local_shop, "/p/17"))
    assert reading == PageReading(200, local_shop.url("/p/17/new"), SHIRT)


async def test_a_client_redirect_brings_its_own_status(either_page: Page, local_shop: LocalShop) -> None:
    """A script that leads to a 404 means gone, at once."""
    local_shop.replies["/"] = html("<body><script>setTimeout(() => { location.href = '/new'; }, 150)</script>")
    local_shop.replies["/new"] = html("<body>Sorry", status=404)
    started = time.monotonic()
    assert (await dom().read(either_page, visit(local_shop))).status == 404
    assert time.monotonic() - started < 3


async def test_a_page_that_reloads_for_ever_fails(either_page: Page, local_shop: LocalShop) -> None:
    """After a few documents, not after the whole time."""
    local_shop.replies["/"] = html("<body><script>setTimeout(() => location.reload(), 30)</script>")
    with pytest.raises((VisitFailed, DeadlineExceeded)):
        await dom().read(either_page, visit(local_shop, timeout_s=5))


async def test_an_endless_script_ends_with_the_deadline(either_page: Page, local_shop: LocalShop) -> None:
    """The page never answers; Python does not wait for it."""
    local_shop.replies["/"] = html("<body><script>setTimeout(() => { for (;;); }, 50)</script>")
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="timeout"):
        await dom().read(either_page, visit(local_shop, timeout_s=1.0))
    assert time.monotonic() - started < 2.5


async def test_a_server_that_never_answers_ends_with_the_deadline(either_page: Page, local_shop: LocalShop) -> None:
    """Playwright's time-out becomes ours."""
    local_shop.replies["/"] = html("", delay_s=3)
    with pytest.raises(DeadlineExceeded, match="loading the page"):
        await dom().read(either_page, visit(local_shop, timeout_s=0.5))


async def test_a_crash_is_a_lost_page(either_page: Page, local_shop: LocalShop) -> None:
    """While it is waited for, and for every later visit."""
    local_shop.replies["/"] = html("<body>")
    reading = asyncio.create_task(dom().read(either_page, visit(local_shop)))
    await shown(either_page, local_shop.url("/"))
    with contextlib.suppress(PlaywrightError):
        await either_page.goto("chrome://crash", wait_until="commit", timeout=2000)
    with pytest.raises(PageLost):
        await reading
    with pytest.raises(PageLost):
        await dom().read(either_page, visit(local_shop))


async def test_a_closed_page_is_a_lost_page(either_page: Page, local_shop: LocalShop) -> None:
    """Whoever closed it."""
    local_shop.replies["/"] = html("<body>")
    reading = asyncio.create_task(dom().read(either_page, visit(local_shop)))
    await shown(either_page, local_shop.url("/"))
    await either_page.close()
    with pytest.raises(PageLost):
        await reading
    with pytest.raises(PageLost):
        await dom().read(either_page, visit(local_shop))


async def test_cancellation_passes_through(either_page: Page, local_shop: LocalShop) -> None:
    """And the page can be used again."""
    local_shop.replies["/"] = html("<body>")
    reading = asyncio.create_task(dom().read(either_page, visit(local_shop)))
    await shown(either_page, local_shop.url("/"))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    local_shop.replies["/"] = html(f"<body data-ready>{BODY}")
    assert (await dom().read(either_page, visit(local_shop))).facts == SHIRT


async def test_huge_values_are_bounded(either_page: Page, local_shop: LocalShop) -> None:
    """Fifty million characters in one field are no fact, and are told as cut; the others are read."""
    local_shop.replies["/"] = html(
        f"<style>h1 {{ display: none }}</style><body>{BODY}<script>document.querySelector('h1').textContent ="
        " ' '.repeat(5000) + 'x'.repeat(5e7); document.body.dataset.ready = '';</script>"
    )
    reading = await dom().read(either_page, visit(local_shop))
    assert reading.facts["name"] is None
    assert reading.told["name"][0].state == "cut"
    assert "50005000 characters" in reading.told["name"][0].text
    assert reading.facts["price"] == 12900


async def test_a_huge_address_is_bounded(either_page: Page, local_shop: LocalShop) -> None:
    """A page can give itself one of any length."""
    local_shop.replies["/"] = html(
        f"<body>{BODY}<script>history.replaceState(0, '', '/?' + 'x'.repeat(100000));"
        " document.body.dataset.ready = '';</script>"
    )
    assert len((await dom().read(either_page, visit(local_shop))).url) == MAX_URL


HOSTILE = {
    "no observer": "window.MutationObserver = undefined;",
    "deaf observer": "window.MutationObserver = class { observe() {} disconnect() {} };",
    "no JSON": "JSON.parse = JSON.stringify = () => { throw new Error('no'); };",
    "broken arrays": "for (const name of ['push', 'map', 'forEach', 'slice', 'join', 'filter', Symbol.iterator])"
    " Array.prototype[name] = () => { throw new Error('no'); };",
    "broken strings": "for (const name of ['slice', 'substring', 'trim', 'replace', 'split', 'toString'])"
    " String.prototype[name] = () => 'x'.repeat(5e7);",
    "throwing array setter": "Object.defineProperty(Array.prototype, 0, { set() { throw new Error('no'); } });",
    "no timers": "window.setTimeout = window.clearTimeout = () => 0;",
    "no queries": "Document.prototype.querySelector = () => { throw new Error('no'); };",
    "no promises": "window.Promise = class { constructor() { throw new Error('no'); } };",
    "lying promise": "window.Promise = class { constructor() {} then(f) { f({ raw: 'x'.repeat(100) }); } };",
    "object prototype": "Object.defineProperty(Object.prototype, 'ready', { set() {}, get() { return 1; } });",
    "toJSON": "Object.prototype.toJSON = () => 'x'; Array.prototype.toJSON = () => 'x';",
    "no clock": "performance.now = () => { throw new Error('no'); };",
    "no walls": "Function.prototype.call = Function.prototype.apply = () => { throw new Error('no'); };",
}


@pytest.mark.parametrize("trick", HOSTILE)
async def test_a_hostile_page_breaks_only_its_own_visit(trick: str, either_page: Page, local_shop: LocalShop) -> None:
    """It is read all the same, or the visit fails as any visit can; the next page of the same tab is read well."""
    local_shop.replies["/"] = html(f"<script>{HOSTILE[trick]}</script><body data-ready>{BODY}")
    local_shop.replies["/kind"] = html(f"<body data-ready>{BODY}")
    started = time.monotonic()
    try:
        reading = await dom().read(either_page, visit(local_shop, timeout_s=2))
    except (ItemError, DeadlineExceeded) as error:
        assert len(str(error)) < 300
    else:
        assert set(reading.facts) <= set(SHIRT)
        assert all(len(str(value)) <= 2000 for value in reading.facts.values())
    assert time.monotonic() - started < 4
    assert (await dom().read(either_page, visit(local_shop, "/kind"))).facts == SHIRT


@pytest.mark.parametrize(
    "policy",
    ["default-src 'none'; script-src 'self'", "require-trusted-types-for 'script'; trusted-types 'none'", "sandbox"],
)
async def test_a_content_security_policy_does_not_matter(policy: str, either_page: Page, local_shop: LocalShop) -> None:
    """Shops forbid `eval`; what runs in the page runs by the browser's own protocol."""
    headers = (("content-type", "text/html; charset=utf-8"), ("content-security-policy", policy))
    local_shop.replies["/"] = html(f"<body data-ready>{BODY}", headers=headers)
    assert (await dom().read(either_page, visit(local_shop))).facts == SHIRT


async def test_a_document_written_anew_is_still_watched(either_page: Page, local_shop: LocalShop) -> None:
    """`document.open` takes every node and listener away, not the observer."""
    text = f"<body data-ready>{BODY}".replace("\n", " ")
    write = f"document.open(); document.write('{text}'); document.close();"
    local_shop.replies["/"] = html(f"<body><script>setTimeout(() => {{ {write} }}, 300)</script>")
    assert (await dom().read(either_page, visit(local_shop))).facts == SHIRT


async def test_nothing_stays_in_the_page(either_page: Page, local_shop: LocalShop) -> None:
    """Observers and timers that the page can see are all taken away, whether it was ready or not."""
    count = """<script>
    window.open_ = 0;
    const Real = MutationObserver, set = setTimeout, clear = clearTimeout, timers = new Set();
    window.MutationObserver = class extends Real {
      observe(...a) { open_ += 1; super.observe(...a); }
      disconnect() { open_ -= 1; super.disconnect(); }
    };
    window.setTimeout = (f, ms) => {
      const id = set(() => { timers.delete(id); f(); }, ms);
      timers.add(id);
      return id;
    };
    window.clearTimeout = (id) => { timers.delete(id); clear(id); };
    window.left = () => open_ + timers.size;
    </script>"""
    local_shop.replies["/"] = html(f"{count}<body data-ready>{BODY}")
    local_shop.replies["/late"] = html(f"{count}<body>{BODY}")
    local_shop.replies["/text"] = html(f"{count}<body>No longer sold")
    for path in ("/", "/late", "/text"):
        await dom(judge=GONE).read(either_page, visit(local_shop, path, timeout_s=2))
        assert await either_page.evaluate("left()") == 0


async def test_a_selector_that_is_none_fails_with_its_name(either_page: Page, local_shop: LocalShop) -> None:
    """A mistake in the configuration that only a browser can see."""
    local_shop.replies["/"] = html(f"<body data-ready>{BODY}")
    with pytest.raises(VisitFailed, match="not a valid selector"):
        await dom(ready="h1!!").read(either_page, visit(local_shop))


async def test_other_content_types_are_no_error(either_page: Page, local_shop: LocalShop) -> None:
    """Random bytes that are said to be a picture simply never become ready."""
    local_shop.replies["/"] = Reply((bytes(range(256)),), headers=(("content-type", "image/png"),))
    assert not (await dom().read(either_page, visit(local_shop, timeout_s=2))).ready


async def test_visits_leave_nothing_in_python_or_in_the_page(fresh_page: Page, local_shop: LocalShop) -> None:
    """Fifty visits of one page later, as many listeners and calls under way as before: none."""
    local_shop.replies["/"] = html(f"<body data-ready>{BODY}")
    impl: Any = fresh_page._impl_obj
    before = len(asyncio.all_tasks())
    for _ in range(50):
        await dom().read(fresh_page, visit(local_shop))
    assert listeners(fresh_page) == 0
    assert len(impl._connection._callbacks) == 0
    assert len(asyncio.all_tasks()) <= before + 1


@pytest.mark.parametrize(
    "trigger",
    [
        "requestAnimationFrame(() => requestAnimationFrame(fill))",
        "new IntersectionObserver((seen) => seen[0].isIntersecting && fill()).observe(document.querySelector('h1'))",
        "new ResizeObserver(fill).observe(document.body)",
        "requestIdleCallback(fill)",
        "document.fonts.ready.then(fill)",
        "document.querySelector('h1').animate([{opacity: 0}, {opacity: 1}], 50).finished.then(fill)",
    ],
    ids=["animation frames", "in view", "resize", "idle", "fonts", "animation"],
)
async def test_content_that_waits_for_being_drawn_appears(
    trigger: str, either_page: Page, local_shop: LocalShop
) -> None:
    """Frames on demand are frames: whatever a page hangs on them happens."""
    fill = "const fill = () => { " + FILL + " document.body.dataset.ready = ''; };"
    local_shop.replies["/"] = html(f"<body>{SHELL}<script>{fill} {trigger};</script>")
    reading = await dom().read(either_page, visit(local_shop, timeout_s=5))
    assert (reading.ready, reading.facts) == (True, SHIRT)
