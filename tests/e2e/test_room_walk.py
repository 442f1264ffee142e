"""A day with the results room, by the page alone: a real API, a real worker, and somebody's own catalogue in SQLite."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from pagemill.browser.machine import find_chromium
from pagemill.demo.catalogue import COLUMNS, CatalogueRow, generate, write_catalogue_csv
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import Verdict
from tests.e2e.test_control_room import Room, control_room, port
from tests.e2e.workplace import Workplace, assert_each_right_once, eventually

__all__ = ["port"]

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

SHOP = "demo-hydrated"
PRODUCTS = 60
_MADE = "CREATE TABLE goods (id TEXT PRIMARY KEY, url TEXT, name TEXT, price NUMERIC, in_stock BOOLEAN, note BLOB)"
_KNOWN = ("401 (Unauthorized)",)


class Goods:
    """The table `goods`, which a user's own program keeps."""

    def __init__(self, file: Path, rows: list[CatalogueRow]) -> None:
        self._file = file
        named = [(row.product.id, row.product.url, *map(row.product.expected.get, COLUMNS[2:])) for row in rows]
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(_MADE)
            connection.executemany("INSERT INTO goods VALUES (?, ?, ?, ?, ?, x'00ff')", named)

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Every cell as it is kept, with its type, by id."""
        cells = ", ".join(f"{name}, typeof({name})" for name in (*COLUMNS[1:], "note"))
        with closing(sqlite3.connect(self._file)) as connection:
            return {row[0]: row[1:] for row in connection.execute(f"SELECT id, {cells} FROM goods")}

    def said(self) -> dict[str, dict[str, Any]]:
        """The rows as dictionaries."""
        with closing(sqlite3.connect(self._file)) as connection:
            connection.row_factory = sqlite3.Row
            return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM goods")}


@pytest.fixture
def rows(shop: StorefrontProcess) -> list[CatalogueRow]:
    """With every state that the shop has, and some products whose pages never come."""
    return list(generate(SHOP, shop.base_url, PRODUCTS, faults=["hang"], fault_every=20))


@pytest.fixture
def goods(place: Workplace, rows: list[CatalogueRow]) -> Goods:
    """The rows in a database, which the platform may write."""
    update = {"columns": {"name": "name", "price": "price", "in_stock": "in_stock"}, "sold_out": {"in_stock": False}}
    place.platform(
        SHOP,
        catalog={"table": "goods", "update": update},
        navigation={"timeout_ms": 3000},
        retry={"attempts": 1},
        workflow={"rate_limit": {"wait_time_ms": 0}, "concurrency": {"default": 1}},
    )
    file = place.folder / "goods.db"
    url = f"sqlite:///{file}"
    place.environment_changes |= {"PAGEMILL_CATALOG_URL": url, "PAGEMILL_CATALOG_WRITE_URL": url}
    return Goods(file, rows)


@pytest.fixture
def room(place: Workplace, goods: Goods, port: int) -> Iterator[Room]:
    """A running `pagemill api`, which may write to the catalogue."""
    with control_room(place, port) as room:
        yield room


async def walk(page: Page, room: Room, place: Workplace, catalogue: Path, goods: Goods) -> tuple[str, str]:
    """All of it; the run of the catalogue, and that of what failed."""
    before = goods.rows()
    await page.goto(f"{room.url}/runs")
    await page.get_by_label("Token").fill(room.token)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#runs-list")).to_contain_text("There is no run yet")

    # A catalogue is dropped.
    await page.evaluate(
        """([name, content]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([content], name));
            for (const type of ["dragenter", "dragover", "drop"]) {
              document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
            }
        }""",
        [catalogue.name, catalogue.read_text()],
    )
    await page.get_by_role("dialog").get_by_role("button", name="Begin").click()
    await expect(page.locator("#begun")).to_contain_text(f"was begun with {PRODUCTS} products")
    await page.locator("#begun").get_by_role("link").click()

    # It is watched, and one of its changes is opened.
    state, told = page.locator("#run-state"), page.locator("#run-told")
    await expect(told).to_contain_text(f"of {PRODUCTS} products")
    run = await page.get_by_role("heading", level=1).inner_text()
    await expect(state).to_have_text("complete")
    await expect(told).to_contain_text(f"{PRODUCTS} of {PRODUCTS} products, 100 %")
    await page.get_by_role("radio", name="changed").check()
    change = page.locator("#results-list > li").filter(has=page.get_by_text("price")).first
    await change.get_by_role("button", name="Open").click()
    await expect(change.get_by_role("table", name="Expected and found")).to_be_visible()

    # What was found is shown, written, and taken back.
    await page.get_by_role("button", name="Apply", exact=True).click()
    await expect(page.locator("#ask-yes")).to_contain_text("Write")
    assert await asyncio.to_thread(goods.rows) == before
    await page.locator("#ask-yes").click()
    await expect(page.locator("#applied")).to_be_focused()
    await asyncio.to_thread(check_written, place, goods, run)
    await page.get_by_role("button", name="Undo apply").click()
    await page.get_by_role("button", name="Take back").click()
    await expect(page.locator("#applied")).to_contain_text("taken back.")
    assert await asyncio.to_thread(goods.rows) == before

    # What failed is begun again, and cancelled while it is at work.
    await page.get_by_role("button", name="Again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Begin").click()
    await expect(page.locator("#run-about")).to_contain_text(f"from again {run}")
    again = await page.get_by_role("heading", level=1).inner_text()
    await asyncio.to_thread(eventually, lambda: place.at_work(SHOP) == 1, 30, "the batch at work")
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await page.get_by_role("button", name="Cancel the run").click()
    await expect(page.locator("#said")).to_contain_text("Cancelled: 0 batches taken off, 1 batch broken off.")
    await expect(state).to_have_text("cancelled")
    return run, again


def check_written(place: Workplace, goods: Goods, run: str) -> None:
    """Every row says what the run found, where it found something else, and what it said before, everywhere else."""
    now = goods.said()
    seen = {Verdict.CHANGED: 0, Verdict.SOLD_OUT: 0}
    for result in place.results(run):
        row = now[result.product_id]
        wanted = dict(result.expected)
        if result.verdict is Verdict.CHANGED:
            wanted |= {each.field: each.found for each in result.differences}
        elif result.verdict is Verdict.SOLD_OUT:
            wanted["in_stock"] = False
        if result.verdict in seen:
            seen[result.verdict] += 1
        assert {name: row[name] for name in wanted} == wanted, result.product_id
    assert all(seen.values()), seen


async def in_chromium(room: Room, place: Workplace, catalogue: Path, goods: Goods) -> tuple[str, str]:
    """The walk, without a complaint of the browser."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        executable = find_chromium(Path(found) if (found := os.environ.get("PAGEMILL_CHROMIUM")) else None)
        browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        expect.set_options(timeout=60_000)
        runs = await walk(page, room, place, catalogue, goods)
        await browser.close()
    assert [each for each in complaints if not any(known in each for known in _KNOWN)] == []
    return runs


def test_the_walk_of_a_day(place: Workplace, room: Room, rows: list[CatalogueRow], goods: Goods) -> None:
    """A catalogue is dropped and watched, a change opened; what was found is written into the shop's own table and
    taken back to the byte; what failed is begun again, and that is cancelled."""
    catalogue = place.folder / f"{SHOP}.csv"
    write_catalogue_csv(catalogue, rows)
    with place.worker("--processes", "1") as worker:
        run, again = asyncio.run(in_chromium(room, place, catalogue, goods))
        worker.terminate()
        assert worker.wait(60) == 0
    assert_each_right_once(rows, place.results(run))
    unsettled = (Verdict.FAILED, Verdict.BLOCKED)
    failed = {each.product_id for each in place.results(run) if each.verdict in unsettled}
    assert {each.product_id for each in place.results(again)} < failed
