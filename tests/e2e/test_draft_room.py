"""The page that drafts a platform's file, for real: an API process, the `pagemill draft` that it begins, the practice
shop, and the file in its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from pagemill.demo.storefront import StorefrontProcess
from pagemill.demo.truth import truth_of
from tests.browser.conftest import executable
from tests.e2e.test_control_room import control_room, port
from tests.e2e.workplace import Workplace

__all__ = ["executable", "port"]

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

_DRAFTED_MS = 180_000
"""When the API gives up, at the latest."""


async def test_another_place_is_chosen_and_the_file_reads(
    executable: Path, place: Workplace, shop: StorefrontProcess, port: int
) -> None:
    """From addresses to a file with one place chosen by hand; nothing was written before it was saved, no page was
    visited for the choice, and `pagemill try` reads the shop with it."""
    urls = [f"{shop.base_url}/jsonld/p/{product}" for product in ("j-000000.ok", "j-000001.ok", "j-000007.sold-out")]
    file = place.config / "platforms" / "myshop.yaml"
    with control_room(place, port) as room:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            page = await browser.new_page()
            await page.goto(f"{room.url}/draft")
            await page.get_by_label("Token").fill(room.token)
            await page.get_by_role("button", name="Log in").click()
            await page.get_by_label("Name of the platform").fill("myshop")
            await page.get_by_label("Products on sale").fill("\n".join(urls[:2]))
            await page.get_by_label("Sold out").fill(urls[2])
            await page.get_by_text("how to visit").click()
            await page.get_by_label("Pause, in milliseconds").fill("0")
            await page.get_by_role("button", name="Draft", exact=True).click()
            await expect(page.locator("#draft-told")).to_contain_text("of 3 pages visited")
            await expect(page.locator("#draft-progress")).to_be_hidden(timeout=_DRAFTED_MS)
            await expect(page.locator("#draft-error")).to_be_empty()
            price = page.get_by_role("radiogroup", name="Place of price")
            await expect(price.get_by_role("row").nth(1)).to_contain_text(f"{truth_of('j-000000.ok').price:,}")
            await expect(page.locator("#draft-pages .wrong")).to_have_count(0)

            visits, before = shop.hits().total, await page.locator("#draft-text").inner_text()
            assert visits > 0
            await price.get_by_role("radio").nth(1).check()
            await expect(page.locator("#draft-text")).to_contain_text("chosen by hand")
            assert shop.hits().total == visits
            assert not file.exists()
            async with page.expect_download() as waiting:
                await page.get_by_role("link", name="Download").click()
            await (await waiting.value).save_as(file)
            await browser.close()
    assert file.read_text().strip() != before.strip()
    tried = json.loads(place.run("try", urls[1], "--platform", "myshop", "--json").stdout)
    truth = truth_of("j-000001.ok")
    assert (tried["verdict"], tried["facts"]["name"], tried["facts"]["price"]) == ("ok", truth.name, truth.price)
