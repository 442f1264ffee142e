"""The strategy that the documentation shows works as it stands there."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from playwright.async_api import Page

from pagemill.extraction import strategy
from pagemill.model import PageReading
from tests.browser.extraction.local_shop import LocalShop, html, platform, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_the_documented_strategy_reads_a_page(fresh_page: Page, local_shop: LocalShop) -> None:
    """The indented block of the module's docstring, run."""
    text = strategy.__doc__ or ""
    example = textwrap.dedent("\n".join(line for line in text.splitlines() if line.startswith("    ") or not line))
    names: dict[str, Any] = {}
    exec(example, names)
    shop = platform({"badge": ".badge"}, strategy="own.BadgeStrategy", ready=".badge")
    own = names["BadgeStrategy"](shop, {"badge": "i.badge"})
    local_shop.replies["/"] = html("<body><script>document.body.innerHTML = '<i class=badge title=New></i>'</script>")
    assert await own.read(fresh_page, visit(local_shop)) == PageReading(200, local_shop.url("/"), {"badge": "New"})


OF_0_1 = """
from pagemill.extraction.look import Watch, visit_page
from pagemill.model import PageReading

class BadgeStrategy:
    def __init__(self, platform):
        self.watch = Watch.of(platform, places=((".badge", "title"),), ready=platform.extract.ready)

    async def read(self, page, visit):
        seen = await visit_page(page, visit, self.watch)
        badge = seen.raw[0] if seen.raw else None
        return PageReading(seen.status, seen.url, {"badge": badge}, seen.ready, seen.texts)
"""
"""What 0.1 documented."""


async def test_a_strategy_of_0_1_reads_a_page(fresh_page: Page, local_shop: LocalShop) -> None:
    """It is told where its imports stand now."""
    names: dict[str, Any] = {}
    with pytest.warns(FutureWarning, match=r"look\.\w+ goes in 0\.3: import \w+ from pagemill\.strategies"):
        exec(OF_0_1, names)
    own = names["BadgeStrategy"](platform({"badge": ".badge"}, strategy="own.BadgeStrategy", ready=".badge"))
    local_shop.replies["/"] = html("<i class=badge title=New></i>")
    assert await own.read(fresh_page, visit(local_shop)) == PageReading(200, local_shop.url("/"), {"badge": "New"})
