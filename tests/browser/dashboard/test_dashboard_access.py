"""The dashboard for everybody: axe's findings in both themes, the keyboard, the theme that is remembered."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, expect

from pagemill.control_room.frame.roles import Role
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.conftest import Looker
from tests.browser.dashboard.test_dashboard import enter

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

_GRAVE = {"serious", "critical"}


async def grave_findings(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    found = await Axe().run(page)
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found.response["violations"]
        if each["impact"] in _GRAVE
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_grave(looker: Looker, api: ApiServer, theme: str) -> None:
    """On the login, the board and a dialog, in either theme."""
    page = looker.page
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    await page.goto(f"{api.url}/performance/dashboard")
    await expect(page.locator("#login")).to_be_visible()
    assert await grave_findings(page) == []
    await enter(page, api, Role.ADMIN)
    await expect(page.locator("#memory-chart .main-svg").first).to_be_visible()
    assert await grave_findings(page) == []
    await page.get_by_role("button", name="Change thresholds").click()
    assert await grave_findings(page) == []


async def test_the_theme_follows_the_system_until_one_is_chosen(looker: Looker, api: ApiServer) -> None:
    """The choice outlives the page."""
    page = looker.page
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{api.url}/performance/dashboard")
    root = page.locator("html")
    await expect(root).to_have_attribute("data-theme", "dark")
    await page.emulate_media(color_scheme="light")
    await expect(root).to_have_attribute("data-theme", "light")
    await page.get_by_role("button", name="Theme").click()
    await page.get_by_role("button", name="Theme").click()
    await expect(root).to_have_attribute("data-theme", "dark")
    await page.reload()
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()


async def test_everything_is_reached_by_keyboard(looker: Looker, api: ApiServer) -> None:
    """The first stop leads to the content; each control that is seen can be reached."""
    page = looker.page
    await enter(page, api, Role.ADMIN)
    await expect(page.get_by_role("button", name="Pause zigzag")).to_be_visible()
    await page.evaluate("document.activeElement.blur()")
    reached: list[str] = []
    for _ in range(40):
        await page.keyboard.press("Tab")
        reached.append(
            await page.evaluate("(document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()")
        )
    assert "Skip to content" in reached
    for name in ("Theme: system", "Log out", "Pause zigzag", "Clean up memory", "Restart all"):
        assert name in reached
