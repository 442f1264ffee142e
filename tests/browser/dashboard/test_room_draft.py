"""The page that drafts a platform's file: from addresses to a file by keyboard, for everybody, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from pagemill.config.loading import load_platform_file
from pagemill.control_room.frame.roles import Role
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.conftest import Looker
from tests.browser.dashboard.draft_world import SHOP, DraftedShop
from tests.browser.dashboard.room_world import HOSTILE
from tests.browser.dashboard.test_dashboard import enter
from tests.browser.dashboard.test_dashboard_access import grave_findings

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

URLS = "\n".join(f"{SHOP}/{number}" for number in range(3))


@pytest.fixture
def drafted_shop(tmp_path: Path) -> DraftedShop:
    """A shop that can be drafted."""
    return DraftedShop(tmp_path)


@pytest.fixture
def room(redis_server: str, redis_client: object, tmp_path: Path, drafted_shop: DraftedShop) -> Iterator[ApiServer]:
    """The control API below a proxy's path."""
    with ApiServer(redis_server, tmp_path, root_path="/tools/pagemill", drafts=drafted_shop.drafts) as server:
        yield server


async def begin(page: Page) -> None:
    """By keyboard alone."""
    name = page.get_by_label("Name of the platform")
    await expect(name).to_be_visible()
    await name.select_text()
    await page.keyboard.insert_text("myshop")
    await page.keyboard.press("Tab")
    await page.keyboard.insert_text(URLS)
    await page.keyboard.press("Tab")
    await page.keyboard.insert_text(f"{SHOP}/3")
    await page.get_by_role("button", name="Draft", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#draft-told")).to_have_text("1 of 4 pages visited.")


async def ended(page: Page) -> None:
    """The draft is shown, and read out."""
    await expect(page.get_by_role("heading", name="What it reads of the pages")).to_be_focused()


async def test_from_addresses_to_a_file_by_keyboard(
    looker: Looker, room: ApiServer, drafted_shop: DraftedShop, tmp_path: Path
) -> None:
    """Another place is chosen by an arrow key, and the file follows; it is saved, and there again when the page is.
    A second draft shows its own places. What the shop says stays text, and nothing asks beside the proxy's path."""
    page = looker.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "://" in request.url else None)
    text = await asyncio.to_thread(drafted_shop.says, HOSTILE)
    await enter(page, room, Role.ADMIN, "/runs")
    await page.get_by_role("link", name="Draft").focus()
    await page.keyboard.press("Enter")
    await begin(page)
    await expect(page.get_by_role("button", name="Working")).to_be_disabled()
    drafted_shop.go_on()
    await ended(page)
    shown = page.locator("#draft-text")
    assert await shown.text_content() == text
    await expect(page.locator("#draft-pages > li")).to_have_count(4)
    name = page.get_by_role("radiogroup", name="Place of name")
    await page.locator("summary", has_text="name").press("Enter")
    await expect(name.get_by_role("row").nth(1)).to_contain_text(f"{HOSTILE} 0")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#draft-fields")).to_contain_text("chosen by hand")
    await expect(name.get_by_role("radio").nth(1)).to_be_focused()
    await expect(page.locator("#draft-tried")).to_contain_text("it was not tried")

    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Download").press("Enter")
    download = await waiting.value
    assert download.suggested_filename == "myshop.yaml"
    await download.save_as(tmp_path / "myshop.yaml")
    assert (tmp_path / "myshop.yaml").read_text() == await shown.text_content() != text
    assert load_platform_file(tmp_path / "myshop.yaml").platform == "myshop"

    await page.reload()
    await ended(page)
    assert await shown.text_content() == text
    await asyncio.to_thread(drafted_shop.says, "Blue cup")
    await begin(page)
    await expect(page.locator("#drafted")).to_be_hidden()
    drafted_shop.go_on()
    await ended(page)
    await page.locator("summary", has_text="name").press("Enter")
    await expect(name.get_by_role("row").nth(1)).to_contain_text("Blue cup 0")
    await expect(page.locator("#draft-fields")).not_to_contain_text(HOSTILE)
    assert await page.title() == "Draft a platform's file - pagemill"
    assert [each for each in asked if not each.startswith((f"{room.url}/", f"blob:{room.url[:21]}"))] == []
    assert looker.unexpected() == []


async def test_the_page_is_for_everybody(looker: Looker, room: ApiServer, drafted_shop: DraftedShop) -> None:
    """axe finds nothing grave in either theme, and nothing scrolls sideways on a phone, with all of it open."""
    page = looker.page
    await asyncio.to_thread(drafted_shop.says, HOSTILE + "long" * 80)
    await enter(page, room, Role.ADMIN, "/draft")
    assert await grave_findings(page) == []
    await begin(page)
    assert await grave_findings(page) == []
    drafted_shop.go_on()
    await ended(page)
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for theme in ("dark", "light"):
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        assert await grave_findings(page) == []
    for width in (360, 390, 1280, 1920):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert looker.unexpected() == []


async def test_what_cannot_be_drafted_is_told(looker: Looker, room: ApiServer, drafted_shop: DraftedShop) -> None:
    """Beside the form, where the button works again. Who may only read looks, and chooses nothing."""
    page = looker.page
    error = page.locator("#draft-error")
    button = page.get_by_role("button", name="Draft", exact=True)
    await enter(page, room, Role.ADMIN, "/draft?draft=0123abcd")
    await expect(error).to_contain_text("kept for an hour")
    await page.get_by_label("Name of the platform").fill("myshop")
    urls = page.get_by_label("Products on sale")
    await urls.fill("http://169.254.169.254/latest")
    await button.click()
    await expect(error).to_contain_text("host 169.254.169.254 is one of this network")
    await urls.fill(URLS)
    drafted_shop.go_on()
    await button.click()
    await expect(error).to_contain_text("HTTP 403")
    await expect(page.locator("#draft-progress")).to_be_hidden()
    await asyncio.to_thread(drafted_shop.says, "Cup")
    drafted_shop.go_on()
    await button.click()
    await ended(page)
    await expect(error).to_be_empty()

    await page.get_by_role("button", name="Log out").click()
    await page.get_by_label("Token").fill(room.token(Role.PLANNER))
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#draft-planner")).to_be_visible()
    await expect(button).to_be_hidden()
    await page.reload()
    await ended(page)
    await expect(page.get_by_role("radio").first).to_be_disabled()
    assert looker.unexpected("404", "422") == []
