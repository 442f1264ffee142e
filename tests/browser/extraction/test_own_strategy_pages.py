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
