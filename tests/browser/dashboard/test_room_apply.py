"""Writing back from the results room, with a real Chromium, API and catalogue: shown, written, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from pagemill.control_room.frame.roles import Role
from pagemill.model import Verdict
from pagemill.results.store import ResultStore
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.conftest import Looker
from tests.browser.dashboard.fleet_world import FleetWorld
from tests.browser.dashboard.goods import Goods, changes, columns
from tests.browser.dashboard.room_world import RUN, a_result, fill_run
from tests.browser.dashboard.test_dashboard import enter
from tests.browser.dashboard.test_dashboard_access import grave_findings

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

PRODUCTS = 120
GONE = [a_result(number).product_id for number in range(PRODUCTS) if a_result(number).verdict is Verdict.GONE]


@pytest.fixture
def goods(tmp_path: Path) -> Goods:
    """Whose rows are as the run expected them."""
    goods = Goods(tmp_path)
    goods.fill(PRODUCTS)
    return goods


@pytest.fixture
def may_write() -> bool:
    """Whether the API has an account for it."""
    return True


@pytest.fixture
def api(redis_server: str, world: FleetWorld, tmp_path: Path, goods: Goods, may_write: bool) -> Iterator[ApiServer]:
    """The control API, with that catalogue."""
    with ApiServer(redis_server, tmp_path, catalogue=goods.url, may_write=may_write) as server:
        yield server


async def rehearse(page: Page, button: str = "Apply") -> None:
    """Opens the dialog, which shows what would be done."""
    await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.locator("#ask-yes")).not_to_have_text("Working ...")


async def test_what_a_run_found_is_shown_written_and_taken_back(
    looker: Looker, api: ApiServer, store: ResultStore, goods: Goods
) -> None:
    """Rows that somebody changed stay as they are, and so do those that the database refuses, with the reason."""
    fill_run(store, products=PRODUCTS, done=PRODUCTS)
    goods.execute("UPDATE goods SET price = 1 WHERE id = 'P000012'")
    goods.execute("DELETE FROM goods WHERE id = 'P000013'")
    before = goods.rows()
    wanted = {*changes(PRODUCTS)} - {"P000012", "P000013"}
    taken = wanted - {"P000032"}
    page = looker.page
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    await rehearse(page)
    dialog = page.get_by_role("dialog")
    told = page.locator("#ask-text")
    await expect(told).to_contain_text(f"{len(wanted)} rows ({columns(wanted)} columns) would be written, 2 left as")
    written = page.get_by_role("region", name="To be written").get_by_role("listitem")
    await expect(written.filter(has_text="P000017")).to_contain_text("status says on sale → , then stopped")
    left = page.get_by_role("region", name="Left as found, and why")
    await expect(left).to_contain_text("price says 1, the run expected 12100")
    await expect(left).to_contain_text("the row is not in the table")
    assert goods.rows() == before

    # What the database refuses is known only when it is written.
    await page.get_by_role("button", name=f"Write {len(wanted)} rows").click()
    applied = page.locator("#applied")
    await expect(applied).to_contain_text(f"{len(taken)} rows ({columns(taken)} columns) written, 3 left as")
    await expect(applied).to_contain_text("CHECK constraint failed")
    await expect(applied).to_be_focused()
    await expect(dialog).to_be_hidden()
    after = goods.rows()
    assert goods.cell("P000014", "price") == 11300
    assert {product for product in after if after[product] != before[product]} == taken
    assert {goods.cell(product, "status") for product in GONE} == {"stopped"}

    await rehearse(page)
    await expect(told).to_contain_text(f"{len(taken)} as wanted already, 2 left as found")
    await expect(page.locator("#ask-yes")).to_have_text("Write 1 row")
    await page.get_by_role("button", name="Cancel", exact=True).click()

    await rehearse(page, "Undo apply")
    await expect(told).to_contain_text(f"{len(taken)} rows ({columns(taken)} columns) would be taken back")
    assert goods.rows() == after
    await page.get_by_role("button", name=f"Take back {len(taken)} rows").click()
    await expect(applied).to_contain_text(f"{len(taken)} rows ({columns(taken)} columns) taken back.")
    assert goods.rows() == before
    await rehearse(page, "Undo apply")
    await expect(page.locator("#ask-error")).to_contain_text("there is nothing to undo")
    await expect(page.locator("#ask-yes")).to_be_hidden()
    await page.get_by_role("button", name="Close").click()
    await expect(dialog).to_be_hidden()
    assert looker.unexpected("422") == []


@pytest.mark.parametrize("may_write", [False])
async def test_without_an_account_it_is_only_shown(
    looker: Looker, api: ApiServer, store: ResultStore, goods: Goods
) -> None:
    """In plain words, with what to set."""
    fill_run(store, products=PRODUCTS, done=PRODUCTS)
    page = looker.page
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    await rehearse(page)
    await expect(page.get_by_role("region", name="To be written")).to_contain_text("P000012")
    await expect(page.locator("#ask-text")).to_contain_text("It can only be shown: PAGEMILL_CATALOG_WRITE_URL")
    await expect(page.locator("#ask-yes")).to_be_hidden()
    await expect(page.get_by_role("button", name="Close")).to_be_visible()
    assert looker.unexpected() == []


async def test_it_is_offered_where_it_can_be_done(
    looker: Looker, api: ApiServer, store: ResultStore, redis_server: str, tmp_path: Path
) -> None:
    """To an admin, of a run that found something, of a platform that says what may be written."""
    fill_run(store, products=PRODUCTS, done=PRODUCTS)
    fill_run(store, "all-ok", products=12, done=12)
    page = looker.page
    buttons = page.locator("#run-actions")
    await enter(page, api, Role.PLANNER, f"/runs/{RUN}")
    await expect(page.locator("#results-list > li")).to_have_count(50)
    await expect(buttons).to_be_hidden()
    await page.get_by_role("button", name="Log out").click()
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    await expect(buttons.get_by_role("button")).to_have_text(["Apply", "Undo apply", "Again"])
    await page.goto(f"{api.url}/runs/all-ok")
    await expect(buttons.get_by_role("button")).to_have_text(["Again"])
    (tmp_path / "plain").mkdir()
    with ApiServer(redis_server, tmp_path / "plain") as plain, ResultStore(plain.database) as other:
        fill_run(other, products=PRODUCTS, done=PRODUCTS)
        await page.goto(f"{plain.url}/runs/{RUN}")  # a cookie is of a host, whatever its ports
        await expect(buttons.get_by_role("button")).to_have_text(["Again"])
    assert looker.unexpected() == []


async def test_who_leaves_stops_it_and_goes_on_later(
    looker: Looker, api: ApiServer, store: ResultStore, goods: Goods
) -> None:
    """A large run is written in parts; what the parts that were sent did is done and told."""
    many = 12_000
    fill_run(store, products=many, done=many)
    goods.execute("DROP TABLE goods")
    goods.fill(many)
    before = goods.rows()
    page = looker.page
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    await rehearse(page)
    await expect(page.get_by_role("heading", name="To be written")).to_contain_text("(the first ")
    parts: list[str] = []

    async def leave_at_the_second(route: Route) -> None:
        parts.append(route.request.post_data or "")
        if len(parts) == 2:
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_be_hidden()
        await route.continue_()

    await page.route("**/apply", leave_at_the_second)
    await page.locator("#ask-yes").click()
    said = page.locator("#said")
    await expect(said).to_contain_text("once more goes on from there")
    assert len(parts) == 2
    after = goods.rows()
    part = sum(after[product] != before[product] for product in after)
    assert 0 < part < len(changes(many))
    await expect(page.locator("#applied")).to_contain_text(f"{part:,} rows")
    await page.unroute("**/apply")
    await rehearse(page)
    await expect(page.locator("#ask-text")).to_contain_text(f"{part:,} as wanted already")
    await page.locator("#ask-yes").click()
    await expect(page.locator("#applied")).to_be_focused()
    after = goods.rows()
    refused = {product for product in changes(many) if after[product] == before[product]}
    assert {product for product in after if after[product] != before[product]} == {*changes(many)} - refused
    assert {a_result(int(product[1:])).facts["price"] for product in refused} == {13100}
    assert looker.unexpected() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_grave(looker: Looker, api: ApiServer, store: ResultStore, theme: str) -> None:
    """In the dialog and in what came of it, in either theme."""
    fill_run(store, products=PRODUCTS, done=PRODUCTS)
    page = looker.page
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    await rehearse(page)
    assert await grave_findings(page) == []
    await page.locator("#ask-yes").click()
    await expect(page.locator("#applied")).to_be_focused()
    assert await grave_findings(page) == []


async def test_it_is_done_by_keyboard(looker: Looker, api: ApiServer, store: ResultStore, goods: Goods) -> None:
    """Looked through, left, asked for again, and written."""
    fill_run(store, products=PRODUCTS, done=PRODUCTS)
    before = goods.rows()
    page = looker.page
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    await page.get_by_role("button", name="Apply", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#ask-yes")).to_have_text("Write 24 rows")
    await expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("region", name="To be written")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Apply", exact=True)).to_be_focused()
    assert goods.rows() == before
    await page.keyboard.press("Enter")
    await expect(page.locator("#ask-yes")).to_have_text("Write 24 rows")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#applied")).to_be_focused()
    assert goods.cell("P000012", "price") == 11100


@pytest.mark.parametrize("width", [360, 390, 1280])
async def test_no_sideways_scrolling(looker: Looker, api: ApiServer, store: ResultStore, width: int) -> None:
    """Of dialog and page."""
    fill_run(store, products=PRODUCTS, done=PRODUCTS)
    page = looker.page
    await page.set_viewport_size({"width": width, "height": 800})
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    await rehearse(page)
    for within in ("#ask", "#ask .scroll"):
        assert await page.eval_on_selector(within, "place => place.scrollWidth <= place.clientWidth")
    await expect(page.locator("#ask-yes")).to_be_in_viewport()
    await page.locator("#ask-yes").click()
    await expect(page.locator("#applied")).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
