"""Visits of the practice shop with a real Chromium, and a plain reader that judges what it sees.

The reader is written for these tests alone: it states what a careful reader gets from each page, independently of
pagemill's own extraction. Playwright runs on a loop in a thread of its own, because a loop in the main thread would
stand in the way of every later test that needs one there.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from playwright.async_api import Browser, Error, Page, Playwright, Response, async_playwright

from pagemill.demo.pages import BLOCKED_TEXT, GONE_TEXT
from pagemill.model import Product, Verdict

T = TypeVar("T")

CALL_TIMEOUT_S = 60.0
CLOSE_TIMEOUT_S = 5.0

_READ = """() => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? null;
  const documents = [...document.querySelectorAll('script[type="application/ld+json"]')];
  return {
    name: text("h1.name"),
    price: text(".price"),
    stock: text(".stock"),
    photo: document.querySelector("img.photo")?.getAttribute("src") ?? null,
    jsonld: documents.map((node) => JSON.parse(node.textContent)),
    body: document.body.innerText,
  };
}"""
_ARRIVED = f"""() => document.body && (document.body.hasAttribute("data-ready")
  || document.body.innerText.includes("{BLOCKED_TEXT}"))"""


@dataclass(frozen=True)
class Visit:
    """What one visit brought back; `arrived` says whether the ready sign, or a refusal in words, was there in time."""

    status: int | None = None
    arrived: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    photo: str | None = None
    text: str = ""


class Chromium:
    """One browser on a thread of its own: `with Chromium(path) as chromium: chromium.visit(look)`."""

    def __init__(self, executable: Path) -> None:
        self._executable = executable
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chromium-visits", daemon=True)
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._launch())
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.run(self._close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs that on the browser's loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, CALL_TIMEOUT_S), self._loop).result()

    def visit(self, look: Callable[[Page], Awaitable[T]]) -> T:
        """Opens a page in a context of its own, hands it to `look`, and closes both, whatever became of them."""
        return self.run(self._visit(look))

    @property
    def browser(self) -> Browser:
        """The browser, for what needs more than one page; use it on the loop only."""
        assert self._browser is not None
        return self._browser

    async def _visit(self, look: Callable[[Page], Awaitable[T]]) -> T:
        context = await self.browser.new_context(viewport={"width": 320, "height": 240})
        try:
            return await look(await context.new_page())
        finally:
            # A stuck renderer may not let go in time; closing the browser ends it.
            with contextlib.suppress(Error, TimeoutError):
                await asyncio.wait_for(context.close(), CLOSE_TIMEOUT_S)

    async def _launch(self) -> None:
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(executable_path=self._executable, args=["--no-sandbox"])

    async def _close(self) -> None:
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()


async def read(page: Page, url: str, timeout_s: float = 15.0) -> Visit:
    """Visits that URL as a careful reader does: waits for the ready sign, then reads everything in one step."""
    answers: list[Response] = []

    def capture(response: Response) -> None:
        if "/api/v1/products/" in response.url:
            answers.append(response)

    page.on("response", capture)
    status: int | None = None
    try:
        response = await page.goto(url, wait_until="commit", timeout=timeout_s * 1000)
        status = response.status if response else None
        if status != 200:
            return Visit(status)
        await page.wait_for_function(_ARRIVED, timeout=timeout_s * 1000)
        seen: dict[str, Any] = await asyncio.wait_for(page.evaluate(_READ), timeout_s)
        facts = await _facts(urlsplit(url).path.split("/")[1], seen, answers)
    except (Error, TimeoutError):
        return Visit(status)
    return Visit(status, arrived=True, facts=facts, photo=seen["photo"], text=seen["body"])


def judge(visit: Visit, product: Product) -> Verdict:
    """The verdict by the rules of the contract."""
    if visit.status in (404, 410) or GONE_TEXT in visit.text:
        return Verdict.GONE
    if visit.status in (403, 429) or BLOCKED_TEXT in visit.text:
        return Verdict.BLOCKED
    if not visit.arrived or visit.status != 200 or not visit.facts:
        return Verdict.FAILED
    if visit.facts["in_stock"] is False:
        return Verdict.SOLD_OUT
    return Verdict.OK if visit.facts == dict(product.expected) else Verdict.CHANGED


async def _facts(platform: str, seen: dict[str, Any], answers: list[Response]) -> dict[str, Any]:
    if platform == "api":
        if not answers:
            return {}
        data = (await answers[0].json())["data"]
        return {name: data[name] for name in ("name", "price", "in_stock")}
    if platform == "jsonld":
        return _jsonld_facts(seen["jsonld"])
    if not seen["name"] or not seen["price"]:
        return {}
    price = int(seen["price"].removesuffix("원").replace(",", ""))
    return {"name": seen["name"], "price": price, "in_stock": seen["stock"] == "in"}


def _jsonld_facts(documents: list[dict[str, Any]]) -> dict[str, Any]:
    nodes = [node for document in documents for node in document.get("@graph", [document])]
    for node in nodes:
        if node["@type"] == "Product":
            offers = node["offers"]
            in_stock = offers["availability"] == "https://schema.org/InStock"
            return {"name": node["name"], "price": int(offers["price"]), "in_stock": in_stock}
    return {}
