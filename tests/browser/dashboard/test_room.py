"""The results room in a real Chromium, in front of the real API: what changed is seen, and runs are begun and ended."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from playwright.async_api import FilePayload, Page, expect

from pagemill.control_room.frame.roles import Role
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.model import Batch, Difference, Priority, Product, Verdict
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.conftest import Looker
from tests.browser.dashboard.room_world import HOSTILE, PLATFORM, RUN, a_result, fill_history, fill_run, keep_evidence
from tests.browser.dashboard.test_dashboard import enter

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

_PATIENT_MS = 20_000
CSV = """id,url,name
P000000,https://www.musinsa.test/products/0,Linen shirt
P000001,https://elsewhere.test/products/1,Wrong host
P000002,https://www.musinsa.test/products/2,Tote bag
P000002,https://www.musinsa.test/products/2,Twice
P000012,https://www.musinsa.test/products/12,Denim
P000018,https://www.musinsa.test/products/18,Blocked
P000019,https://www.musinsa.test/products/19,Failed
"""


async def drop(page: Page, name: str, content: str) -> None:
    """A file from the desktop, let go over the page."""
    await page.evaluate(
        """([name, content]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([content], name));
            const place = document.querySelector("#runs-list");
            for (const type of ["dragenter", "dragover", "drop"]) {
              place.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
            }
        }""",
        [name, content],
    )


def queued(client: redis.Redis) -> list[str]:
    """The products that wait."""
    jobs = open_queue(client, PLATFORM).get_jobs()
    return [each.id for job in jobs for each in from_arguments(*job.args).products]


async def test_the_walk_of_a_day(looker: Looker, api: ApiServer, store: ResultStore, redis_client: redis.Redis) -> None:
    """A catalogue is dropped and watched, a change is opened, what failed is begun again, and that is cancelled."""
    page = looker.page
    await enter(page, api, Role.ADMIN, "/runs")
    await expect(page.locator("#runs-list")).to_contain_text("There is no run yet")

    await drop(page, "musinsa-goods.csv", CSV)
    await expect(page.get_by_role("dialog")).to_contain_text("Begin a run with musinsa-goods.csv?")
    assert await page.get_by_label("Platform", exact=True).last.input_value() == PLATFORM
    await page.get_by_role("button", name="Begin", exact=True).click()
    begun = page.locator("#begun")
    await expect(begun).to_contain_text("was begun with 5 products")
    await expect(begun).to_contain_text("2 rows passed over")
    for line, why in (("3", "elsewhere.test"), ("5", "is in line 4 already")):
        row = begun.get_by_role("row").filter(has=page.get_by_role("cell", name=line, exact=True))
        await expect(row).to_contain_text(why)
    await expect(begun).to_be_focused()
    assert queued(redis_client) == ["P000000", "P000002", "P000012", "P000018", "P000019"]

    await begun.get_by_role("link").click()
    await expect(page.locator("#run-told")).to_have_text("0 of 5 products, 0 %. 5 to come.")
    await expect(page.locator("#run-state")).to_have_text("at work")
    run = await page.get_by_role("heading", level=1).inner_text()
    store.write([a_result(number, run) for number in (0, 2)])
    await expect(page.locator("#run-told")).to_contain_text("2 of 5 products, 40 %: 2 ok", timeout=_PATIENT_MS)
    await expect(page.locator("#results-list > li")).to_have_count(2)
    store.write([a_result(number, run) for number in (12, 18, 19)])
    await expect(page.locator("#run-state")).to_have_text("complete", timeout=_PATIENT_MS)
    await expect(page.locator("#results-list > li")).to_have_count(5)

    await page.get_by_role("button", name="Open P000012").click()
    sides = page.get_by_role("table", name="Expected and found")
    await expect(sides.get_by_role("row").filter(has_text="price")).to_have_text(
        re.compile("price\\s*12,100\\s*11,100")
    )
    assert await page.get_by_role("link", name="?from=list").get_attribute("rel") == "noreferrer noopener nofollow"

    await page.get_by_role("button", name="Again").click()
    await expect(page.get_by_role("checkbox", name="failed (1)")).to_be_checked()
    await expect(page.get_by_role("checkbox", name="changed (1)")).not_to_be_checked()
    await page.get_by_role("button", name="Begin", exact=True).click()
    await expect(page.locator("#run-about")).to_contain_text(f"from again {run}", timeout=_PATIENT_MS)
    await expect(page.locator("#run-told")).to_contain_text("0 of 2 products")
    assert queued(redis_client)[-2:] == ["P000018", "P000019"]

    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Cancel the run").click()
    await expect(page.locator("#run-state")).to_have_text("cancelled")
    await expect(page.locator("#said")).to_contain_text("Cancelled: 1 batch taken off, 0 batches broken off.")
    await expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)
    assert queued(redis_client) == ["P000000", "P000002", "P000012", "P000018", "P000019"]
    await page.get_by_role("link", name="Runs").first.click()
    await expect(page.locator("#runs-list > li")).to_have_count(2)
    await expect(page.locator("#runs-list > li").first).to_contain_text("cancelled")
    assert looker.unexpected() == []


async def test_a_file_that_cannot_be_begun_is_told(looker: Looker, api: ApiServer, redis_client: redis.Redis) -> None:
    """In the dialog, with its rows, or before anything is sent; a planner is told whose token it takes."""
    page = looker.page
    await enter(page, api, Role.ADMIN, "/runs")
    await expect(page.locator("#runs-list")).to_contain_text("There is no run yet")
    await drop(page, "picture.png", "x")
    await expect(page.locator("#said")).to_contain_text("picture.png is no catalogue")
    await drop(page, "goods.csv", CSV)
    await page.get_by_label("Platform", exact=True).last.select_option(PLATFORM)
    await page.get_by_label("Begin nothing where a single row is bad").check()
    await page.get_by_role("button", name="Begin", exact=True).click()
    await expect(page.locator("#ask-error")).to_contain_text("nothing was queued: line 3: ")
    await page.get_by_label("Begin nothing where a single row is bad").uncheck()
    await page.get_by_label("Platform", exact=True).last.select_option("ably")
    await page.get_by_role("button", name="Begin", exact=True).click()
    await expect(page.locator("#ask-error")).to_contain_text("holds no product that can be checked")
    assert queued(redis_client) == []
    await page.keyboard.press("Escape")
    await page.evaluate("document.body.dataset.role = 'planner'")
    await drop(page, "goods.csv", CSV)
    await expect(page.locator("#said")).to_contain_text("--role admin")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert looker.unexpected("422") == []


async def test_a_catalogue_of_several_platforms_is_begun_before_others(
    looker: Looker, api: ApiServer, redis_client: redis.Redis
) -> None:
    """In another encoding, each row with the platform that has its address; what is wrong is said in the dialog."""
    rows = "id,url,name\nA1,https://www.ably.test/1,오버핏 데님\nM1,https://www.musinsa.test/1,울 니트\n"
    page = looker.page
    await enter(page, api, Role.ADMIN, "/runs")
    goods = FilePayload(name="goods.csv", mimeType="text/csv", buffer=rows.encode("cp949"))
    await page.get_by_label("Drop a catalogue on this page").set_input_files(goods)
    dialog = page.get_by_role("dialog")
    assert await dialog.get_by_label("Platform").input_value() == "auto"
    await dialog.get_by_label("Priority").select_option("high")
    begin = dialog.get_by_role("button", name="Begin")
    encoding = dialog.get_by_label("Encoding")
    for wrong in ("한글", "cp9490"):
        await encoding.fill(wrong)
        await begin.click()
        await expect(page.locator("#ask-error")).to_contain_text(wrong)
    await encoding.fill("cp949")
    await begin.click()
    await expect(page.locator("#begun")).to_contain_text("was begun with 2 products")
    for platform, name in (("ably", "오버핏 데님"), ("musinsa", "울 니트")):
        (job,) = open_queue(redis_client, platform, Priority.HIGH).get_jobs()
        (product,) = from_arguments(*job.args).products
        assert product.expected == {"name": name}
    assert looker.unexpected("422") == []


async def test_results_are_found_among_many(looker: Looker, api: ApiServer, store: ResultStore) -> None:
    """By verdict, field and text, some at a time; the address tells what is looked at, and Back goes back."""
    fill_run(store, products=12_000, done=12_000)
    page = looker.page
    read: list[str] = []
    page.on("request", lambda request: read.append(request.url) if "/results?" in request.url else None)
    await enter(page, api, Role.PLANNER, f"/runs/{RUN}")
    rows = page.locator("#results-list > li")
    await expect(rows).to_have_count(50)
    await expect(page.locator("#results-note")).to_have_text("50 of 12,000 results shown")
    await page.get_by_role("button", name="Next").click()
    await expect(rows.first).to_contain_text("P000050")
    await page.get_by_role("button", name="Next").click()
    await expect(rows.first).to_contain_text("P000100")
    await page.get_by_role("button", name="Previous").click()
    await expect(rows.first).to_contain_text("P000050")
    await page.get_by_role("radio", name="changed").check()
    await expect(page.locator("#results-note")).to_have_text("50 of 1,800 results shown")
    await expect(rows.first).to_contain_text("P000012")
    await expect(rows.first).to_contain_text("price expected 12,100 → , found 11,100")
    await page.get_by_label("Field that differs").select_option("name")
    await expect(rows.first).to_contain_text("P000013")
    await page.get_by_label("Search").fill("LINEN SHIRT 11")
    await expect(rows.first).to_contain_text("P011013")
    await expect(page.locator("#results-note")).to_have_text("50 results")
    assert "search=LINEN+SHIRT+11" in page.url
    await page.go_back()
    await expect(page.locator("#results-note")).to_have_text("50 of 1,800 results shown")
    await page.goto(f"{api.url}/runs/{RUN}?search=P011999")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("P011999")
    assert await page.get_by_label("Search").input_value() == "P011999"
    link = page.get_by_role("link", name="Export these as JSON lines")
    async with page.expect_download() as saved:
        await link.click()
    lines = Path(await (await saved.value).path()).read_text().splitlines()
    assert len(lines) == 1
    assert max(int(re.findall(r"limit=(\d+)", address)[0]) for address in read) <= 50
    assert looker.unexpected() == []


async def test_a_failure_is_seen_and_cannot_run(looker: Looker, api: ApiServer, store: ResultStore) -> None:
    """Its picture stands in the page, its HTML is a text."""
    fill_run(store)
    page = looker.page
    await page.goto("data:text/html,<h1>Access denied</h1>")
    keep_evidence(api.artifacts, RUN, "P000018", await page.screenshot(type="jpeg"))
    await enter(page, api, Role.PLANNER, f"/runs/{RUN}?verdict=blocked")
    await page.get_by_role("button", name="Open P000018").click()
    picture = page.get_by_role("img", name="What the browser saw of P000018")
    await picture.scroll_into_view_if_needed()
    await expect(picture).to_have_js_property("naturalWidth", 1280)
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="HTML as text").click()
    text = await opened.value
    await text.wait_for_load_state()
    assert "<script>document.title='taken'</script>" in await text.locator("body").inner_text()
    assert await text.title() != "taken"
    assert await text.locator("h1").count() == 0
    await page.get_by_role("button", name="Open P000038").click()
    await expect(page.locator("#results-list")).to_contain_text("No picture and no HTML of this failure are here.")
    assert looker.unexpected() == []


async def test_a_product_is_seen_over_time(looker: Looker, api: ApiServer, store: ResultStore) -> None:
    """Its price as a line that breaks where nothing was read, in words, and in a table."""
    fill_history(store)
    page = looker.page
    await enter(page, api, Role.PLANNER, f"/products/{PLATFORM}/P000013")
    chart = page.locator("#price-chart svg")
    await expect(chart).to_be_visible()
    words = "lowest 49,000, highest 63,000, 7 changes in 22 runs. 2 runs read none."
    await expect(page.locator("#price-caption")).to_contain_text(words)
    assert words in (await chart.get_attribute("aria-label") or "")
    await expect(chart.locator("circle")).to_have_count(22)
    assert (await chart.locator("path").get_attribute("d") or "").count("M") == 2
    rows = page.locator("#history-rows tr")
    await expect(rows).to_have_count(24)
    await expect(rows.first).to_contain_text("49,000")
    await expect(rows.filter(has_text="failed")).to_have_count(2)
    await page.get_by_label("Fact").select_option("list_price")
    await expect(page.locator("#price-caption")).to_contain_text("The list price from 69,000")
    await page.goto(f"{api.url}/products/{PLATFORM}/nobody")
    await expect(page.locator("#history-rows")).to_contain_text("No run has a result of this product")
    await expect(chart).to_have_count(0)
    assert looker.unexpected() == []


async def test_strangers_text_stays_text(looker: Looker, api: ApiServer, store: ResultStore) -> None:
    """Of products, addresses, reasons, facts and catalogues; an address that is none of http leads nowhere."""
    store.create_run("r1", PLATFORM, HOSTILE)
    store.seal_run("r1", 1, 1, 0)
    hostile = replace(
        a_result(0, "r1"),
        product_id=f"A/{HOSTILE}",
        url="javascript:document.title='taken'",
        final_url=f"https://www.musinsa.test/{HOSTILE}",
        verdict=Verdict.CHANGED,
        reason=HOSTILE,
        facts={"name": HOSTILE, HOSTILE: HOSTILE},
        differences=(Difference(HOSTILE, HOSTILE, HOSTILE),),
    )
    store.write([hostile])
    page = looker.page
    await enter(page, api, Role.ADMIN, "/runs")
    await expect(page.locator("#runs-list")).to_contain_text(HOSTILE)
    await page.goto(f"{api.url}/runs/r1")
    await page.get_by_role("button", name="Open A/").click()
    await page.get_by_text("All 2 facts").click()
    await expect(page.get_by_role("table", name="Facts")).to_contain_text(HOSTILE)
    await expect(page.get_by_role("table", name="Expected and found")).to_contain_text(HOSTILE)
    await expect(page.locator(".about")).to_contain_text("javascript:document.title='taken'")
    assert await page.locator("#room a[href^=javascript], #room img, #room li b, #room td b").count() == 0
    await page.get_by_role("link", name="in each run").click()
    await expect(page.locator("#history-rows tr")).to_have_count(1)
    assert "/A%2F%3Cimg" in page.url
    await expect(page.locator("#product-address")).to_contain_text(HOSTILE)
    assert await page.title() == f"A/{HOSTILE} - pagemill"
    assert await page.locator("#room a[href^=javascript], #room img, #history-rows b").count() == 0
    assert looker.unexpected() == []


async def test_what_is_not_there_is_told(looker: Looker, api: ApiServer) -> None:
    """With the way back."""
    page = looker.page
    await enter(page, api, Role.PLANNER, "/runs/nobody")
    await expect(page.get_by_role("heading", level=1)).to_have_text("There is no such run")
    await page.get_by_role("link", name="All runs").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    await expect(page.get_by_role("button", name="Older")).to_be_disabled()
    assert looker.unexpected("404 (Not Found)") == []


async def test_a_run_whose_enqueueing_broke_off_says_so(looker: Looker, api: ApiServer, store: ResultStore) -> None:
    """At once, and by its state when what was handed in is done; whoever goes on with it then is seen too."""
    store.create_run(RUN, PLATFORM, "catalogue.csv")
    product = Product("P000000", "https://www.musinsa.test/products/0")
    AskedBatches(store).note([Batch(RUN, "b00001", PLATFORM, (product,))], NOTHING, Reached(1, 1, product.id))
    signs = SignsOfLife(store)
    signs.break_off(signs.enqueueing()[0])
    page = looker.page
    await enter(page, api, Role.ADMIN, f"/runs/{RUN}")
    state = page.locator("#run-state")
    await expect(state).to_have_text("at work")
    await expect(page.locator("#run-about")).to_contain_text("its enqueueing broke off ")
    store.write([a_result(0)])
    await expect(state).to_have_text("incomplete", timeout=_PATIENT_MS)
    await expect(state).to_have_attribute("data-level", "critical")
    await expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    store.seal_run(RUN, 1, 1, 0)
    await expect(state).to_have_text("complete", timeout=_PATIENT_MS)
    await expect(page.locator("#run-about")).not_to_contain_text("broke off")
    assert looker.unexpected() == []


async def test_runs_are_listed_page_by_page(looker: Looker, api: ApiServer, store: ResultStore) -> None:
    """Twenty at a time; of one platform where that is wanted."""
    for number in range(25):
        store.create_run(f"r{number:02}", PLATFORM if number % 5 else "auto", "catalogue.csv")
    page = looker.page
    await enter(page, api, Role.PLANNER, "/runs")
    rows = page.locator("#runs-list > li")
    await expect(rows).to_have_count(20)
    await page.get_by_role("button", name="Older").click()
    await expect(rows).to_have_count(5)
    await expect(rows.last).to_contain_text("r00")
    await page.get_by_label("Platform").select_option("auto")
    await expect(rows).to_have_count(5)
    await expect(rows.first).to_contain_text("r20")
    await page.go_back()
    await expect(rows.last).to_contain_text("r00")
    assert looker.unexpected() == []


async def test_the_room_below_a_proxys_path(
    looker: Looker, redis_server: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """Pages, files, login, API and links are all below it, and nothing asks beside it."""
    page = looker.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "://" in request.url else None)
    with ApiServer(redis_server, tmp_path, root_path="/tools/pagemill") as api, ResultStore(api.database) as store:
        fill_run(store)
        await enter(page, api, Role.ADMIN, "/")
        assert page.url == f"{api.url}/performance/dashboard"
        await page.get_by_role("link", name="Runs").click()
        await page.get_by_role("link", name=RUN).click()
        await expect(page.locator("#results-list > li")).to_have_count(50)
        await page.get_by_role("link", name="P000013").first.click()
        await expect(page.locator("#history-rows tr")).to_have_count(1)
        await page.get_by_role("link", name=RUN).click()
        await expect(page.locator("#results-list > li")).to_have_count(1)
        await page.get_by_role("link", name="API", exact=True).click()
        await expect(page.locator("#operations")).to_contain_text("/api/v1/runs")
        assert [each for each in asked if not each.startswith(f"{api.url}/")] == []
        assert looker.unexpected() == []
