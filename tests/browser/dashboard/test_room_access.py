"""The results room for everybody: axe's findings in both themes, the keyboard, and a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from pagemill.control_room.frame.roles import Role
from pagemill.results.store import ResultStore
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.conftest import Looker
from tests.browser.dashboard.room_world import PLATFORM, RUN, fill_history, fill_run
from tests.browser.dashboard.test_dashboard import enter
from tests.browser.dashboard.test_dashboard_access import grave_findings
from tests.browser.dashboard.test_room import CSV, drop

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]


async def open_results(page: Page, api: ApiServer) -> None:
    """A run with one change and one failure opened."""
    await page.goto(f"{api.url}/runs/{RUN}")
    await page.get_by_role("button", name="Open P000013").click()
    await page.get_by_role("button", name="Open P000019").click()
    await expect(page.locator("#results-list")).to_contain_text("No picture and no HTML")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_grave(looker: Looker, api: ApiServer, store: ResultStore, theme: str) -> None:
    """On each page and in each dialog, in either theme."""
    fill_run(store)
    fill_history(store)
    page = looker.page
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    await enter(page, api, Role.ADMIN, "/runs")
    await expect(page.locator("#runs-list > li")).to_have_count(20)
    assert await grave_findings(page) == []
    await drop(page, "goods.csv", CSV)
    assert await grave_findings(page) == []
    await open_results(page, api)
    assert await grave_findings(page) == []
    await page.get_by_role("button", name="Again").click()
    assert await grave_findings(page) == []
    await page.goto(f"{api.url}/products/{PLATFORM}/P000013")
    await expect(page.locator("#price-chart svg")).to_be_visible()
    assert await grave_findings(page) == []


async def test_everything_is_done_by_keyboard(looker: Looker, api: ApiServer, store: ResultStore) -> None:
    """A verdict is chosen, a change opened and closed, and the next page turned to, without a mouse."""
    fill_run(store, products=400, done=400)
    page = looker.page
    await enter(page, api, Role.PLANNER, f"/runs/{RUN}")
    await expect(page.locator("#results-list > li")).to_have_count(50)
    await page.get_by_role("radio", name="All").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="changed")).to_be_focused()
    await expect(page.locator("#results-list > li").first).to_contain_text("P000012")
    for _ in range(5):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.ariaLabel") == "Open P000012":
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("table", name="Expected and found")).to_be_visible()
    await expect(page.get_by_role("button", name="Open P000012", expanded=True)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("table", name="Expected and found")).to_be_hidden()
    await page.get_by_role("button", name="Next").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#results-list > li")).to_have_count(10)


@pytest.mark.parametrize("width", [360, 390, 1280])
async def test_no_sideways_scrolling(looker: Looker, api: ApiServer, store: ResultStore, width: int) -> None:
    """Of any page as a whole, with all of it open."""
    fill_run(store)
    fill_history(store)
    page = looker.page
    await page.set_viewport_size({"width": width, "height": 800})
    await enter(page, api, Role.ADMIN, "/runs")
    await expect(page.locator("#runs-list > li")).to_have_count(20)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await drop(page, "goods.csv", CSV)
    assert await page.eval_on_selector("#ask", "dialog => dialog.scrollWidth <= dialog.clientWidth")
    await open_results(page, api)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.goto(f"{api.url}/products/{PLATFORM}/P000013")
    await expect(page.locator("#price-chart svg")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
