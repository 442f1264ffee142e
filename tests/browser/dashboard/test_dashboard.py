"""The dashboard in a real Chromium, in front of the real API: who sees what, what moves, and what is done."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
import redis
from playwright.async_api import Page, Route, expect

from pagemill.control_room.frame.roles import Role
from pagemill.fleet.measures import MEASURES
from pagemill.fleet.snapshot import publish
from pagemill.pacing.pace_state import read_paces
from tests.browser.dashboard.api_server import ApiServer
from tests.browser.dashboard.conftest import Looker
from tests.browser.dashboard.fleet_world import PLATFORMS, WORKERS, FleetWorld

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.asyncio(loop_scope="session")]

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
_PATIENT_MS = 20_000
_GOOD_CELL = 4


async def enter(page: Page, api: ApiServer, role: Role, path: str = "/performance/dashboard") -> None:
    """Opens the page and logs in."""
    await page.goto(f"{api.url}{path}")
    await page.get_by_label("Token").fill(api.token(role))
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#connection-text")).to_have_text("Live")


async def test_a_bad_token_is_refused_and_a_good_one_opens_the_board(looker: Looker, api: ApiServer) -> None:
    """The way there from the root; the token is in no place that a script could read; logging out ends it."""
    page = looker.page
    await page.goto(api.url)
    assert page.url.endswith("/performance/dashboard")
    await page.get_by_label("Token").fill("no token")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#login-error")).to_contain_text("Not logged in")
    await expect(page.locator("#board")).to_be_hidden()
    await page.get_by_label("Token").fill(api.token(Role.PLANNER))
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#board")).to_be_visible()
    assert await page.evaluate("[document.cookie, localStorage.length, document.querySelector('#token').value]") == [
        "",
        0,
        "",
    ]
    await page.get_by_role("button", name="Log out").click()
    await expect(page.locator("#login")).to_be_visible()
    assert looker.unexpected() == []


async def test_the_board_shows_the_fleet(looker: Looker, api: ApiServer) -> None:
    """State with its reason, figures, charts that are drawn, tables with the silent worker, alerts and events."""
    page = looker.page
    await enter(page, api, Role.ADMIN)
    await expect(page.locator("#health-word")).to_have_text("Warning")
    await expect(page.locator("#health-reason")).to_contain_text(WORKERS[1])
    await expect(page.locator("#tiles")).to_contain_text("64 % of 3,072 MB")
    for chart in ("memory", "throughput", "lanes", "verdicts", "measured"):
        await expect(page.locator(f"#{chart}-chart .main-svg").first).to_be_visible()
    await expect(page.locator("#memory-chart .js-fill").first).to_be_attached()
    await expect(page.locator("#memory-caption")).to_contain_text("14 context rotations, 3 browser rotations")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=WORKERS[2]))
    await expect(row).to_contain_text("silent for")
    await expect(page.locator("#processes-rows tr")).to_have_count(5)
    for name, said in (
        ("vm-7101-0c1e", ("scheduler", "active", "81 MB", "96 MB", "9.0 h")),
        ("vm-7102-77b0", ("scheduler", "stands by")),
        ("vm-7103-19aa", ("scheduler", "silent for")),
        ("vm-7201-55d2", ("api", "running")),
        ("vm-7301-e4f0", ("supervisor", "running")),
    ):
        row = page.locator("#processes-rows tr").filter(has=page.get_by_role("rowheader", name=name))
        for words in said:
            await expect(row).to_contain_text(words)
    await expect(page.locator("#alerts-list")).to_contain_text("Critical: heartbeat-lost")
    await expect(page.locator("#events-list")).to_contain_text("Browser Rotation")
    await expect(page.locator("#verdicts-caption")).to_contain_text("35,546 products")
    await expect(page.locator("#verdicts-caption")).to_contain_text("off sale 1.6 %")
    await expect(page.locator("#verdicts-legend")).to_contain_text("off sale")
    row = page.locator("#platforms-rows tr").filter(has=page.get_by_role("rowheader", name="musinsa"))
    await expect(row.get_by_role("cell").nth(_GOOD_CELL)).to_have_text("99 %")
    assert looker.unexpected() == []


async def test_an_empty_fleet_is_no_mistake(looker: Looker, api: ApiServer, redis_client: redis.Redis) -> None:
    """Before the first worker there is a board that says how to start one."""
    redis_client.flushall()
    page = looker.page
    await enter(page, api, Role.PLANNER)
    await expect(page.locator("#health-reason")).to_contain_text("no worker")
    await expect(page.locator("#workers-rows")).to_contain_text("pagemill worker")
    await expect(page.locator("#processes-rows")).to_contain_text("None has reported lately")
    await expect(page.locator("#memory-caption")).to_contain_text("No measurements")
    await expect(page.locator("#verdicts-caption")).to_have_text("No verdicts since the workers started.")
    assert looker.unexpected() == []


async def test_a_login_that_ends_leads_back_to_the_login(looker: Looker, api: ApiServer) -> None:
    """With a word why, and without what was seen before."""
    page = looker.page
    await enter(page, api, Role.PLANNER)
    await page.context.clear_cookies()
    await expect(page.locator("#login-error")).to_contain_text("The login has ended")
    await expect(page.locator("#board")).to_be_hidden()
    assert looker.unexpected() == []


async def test_charts_move_when_new_points_come(looker: Looker, api: ApiServer, world: FleetWorld) -> None:
    """The next look at the history draws what was measured since; one worker can be looked at alone."""
    page = looker.page
    await page.clock.install()
    await enter(page, api, Role.PLANNER)
    caption = page.locator("#memory-caption")
    await expect(caption).to_contain_text("Memory (PSS) of all workers together over the last hour")
    await page.locator("#worker-choice").select_option(WORKERS[0])
    await expect(caption).to_contain_text(f"Memory (PSS) of {WORKERS[0]}")
    drawn = page.locator("#memory-chart .scatterlayer .js-line").first
    before = await drawn.get_attribute("d")
    world.measure(python=111.0, renderers=7000.0)
    await page.wait_for_timeout(1000)  # what the API has read of this worker counts for the better part of one
    await page.clock.fast_forward(16_000)
    await expect(caption).to_contain_text(re.compile(r"at most [2-7],\d{3} MB"), timeout=_PATIENT_MS)
    assert await drawn.get_attribute("d") != before
    await page.get_by_role("radio", name="Day").check()
    await expect(caption).to_contain_text("over the last day")
    assert looker.unexpected() == []


async def test_every_measure_can_be_charted(looker: Looker, api: ApiServer) -> None:
    """With what it means and its unit, of all workers or of one; a look at the history does not undo the choice."""
    page = looker.page
    await page.clock.install()
    await enter(page, api, Role.PLANNER)
    choice, caption = page.locator("#measure-choice"), page.locator("#measured-caption")
    await expect(caption).to_contain_text("Memory of the worker's process tree")
    offered = await choice.locator("option").evaluate_all("options => options.map((each) => each.value)")
    assert offered == list(MEASURES)
    await choice.select_option("cpu_percent")
    await expect(caption).to_have_text(re.compile(r"^CPU time .*, of the worker where it is highest: now [\d.]+ %"))
    await page.locator("#worker-choice").select_option(WORKERS[0])
    await expect(caption).to_contain_text(f", of {WORKERS[0]}: now")
    assert await choice.input_value() == "cpu_percent"
    await expect(page.locator("#measured-chart .scatterlayer .js-line")).to_be_attached()
    await choice.select_option("shm_percent")
    await expect(caption).to_have_text(re.compile("no measurements in the last hour yet"))
    assert looker.unexpected() == []


async def test_a_new_alert_appears_by_itself(looker: Looker, api: ApiServer, world: FleetWorld) -> None:
    """Within seconds, with its level in words."""
    await enter(looker.page, api, Role.PLANNER)
    world.alert("block-rate", "critical", "zigzag blocks 29 % of the visits", scope="zigzag")
    alert = looker.page.locator("#alerts-list li").filter(has_text="Critical: block-rate (zigzag)")
    await expect(alert).to_contain_text("zigzag blocks 29 % of the visits", timeout=_PATIENT_MS)


async def test_a_planner_sees_no_actions(looker: Looker, api: ApiServer) -> None:
    """And is refused by the server, should the page offer them all the same."""
    page = looker.page
    await enter(page, api, Role.PLANNER)
    await expect(page.locator("#workers-rows tr")).to_have_count(3)
    await expect(page.get_by_role("button", name="Clean up memory")).to_be_hidden()
    await expect(page.get_by_role("button", name="Pause zigzag")).to_be_hidden()
    await page.evaluate("document.body.dataset.role = 'admin'")
    await page.get_by_role("button", name="Pause zigzag").click()
    await page.get_by_role("button", name="Pause", exact=True).click()
    await expect(page.locator("#ask-error")).to_contain_text("may read only")


async def test_an_admin_pauses_and_resumes_a_platform(
    looker: Looker, api: ApiServer, redis_client: redis.Redis
) -> None:
    """It asks first, says what came of it, and focus comes back to the button; the fleet's pace has changed."""
    page = looker.page
    await enter(page, api, Role.ADMIN)
    await page.get_by_role("button", name="Pause zigzag").click()
    await page.keyboard.press("Escape")
    assert read_paces(redis_client, ["zigzag"])[0].paused_s == 0
    await page.get_by_role("button", name="Pause zigzag").click()
    await page.get_by_label("Minutes").fill("30")
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_contain_text("zigzag is paused for 30 min")
    assert 1700 < read_paces(redis_client, ["zigzag"])[0].paused_s <= 1800
    resume = page.get_by_role("button", name="Resume zigzag")
    await expect(resume).to_be_focused()
    await expect(page.locator("#platforms-rows")).to_contain_text("(by hand)")
    await resume.click()
    await page.get_by_role("button", name="Resume", exact=True).click()
    await expect(page.get_by_role("button", name="Pause zigzag")).to_be_visible()
    assert read_paces(redis_client, ["zigzag"])[0].paused_s == 0
    assert looker.unexpected() == []


async def test_thresholds_are_changed_in_the_units_of_people(looker: Looker, api: ApiServer) -> None:
    """Percent become shares; half a pair and an impossible one are told in the dialog."""
    page = looker.page
    await enter(page, api, Role.ADMIN)
    await page.get_by_role("button", name="Change thresholds").click()
    change = page.get_by_role("button", name="Change", exact=True)
    await page.get_by_label("Memory, warning").fill("75")
    await change.click()
    await expect(page.locator("#ask-error")).to_contain_text("fill in both")
    await page.get_by_label("Memory, critical").fill("70")
    await change.click()
    await expect(page.locator("#ask-error")).to_contain_text("critical must be above warning")
    await page.get_by_label("Memory, critical").fill("88")
    async with page.expect_request("**/thresholds") as sent:
        await change.click()
    assert (await sent.value).post_data_json == {"thresholds": {"memoryUsage": {"warning": 0.75, "critical": 0.88}}}
    await expect(page.locator("#said")).to_contain_text("The thresholds are in force")


async def test_an_action_that_nobody_does_says_so(looker: Looker, api: ApiServer) -> None:
    """These workers only publish, so none of them answers; the dialog tells, and can be left."""
    page = looker.page
    await enter(page, api, Role.ADMIN)
    await page.get_by_role("button", name="Collect garbage").click()
    await page.get_by_role("button", name="Collect", exact=True).click()
    await expect(page.locator("#ask-error")).to_contain_text("no worker did it", timeout=_PATIENT_MS)
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("#ask")).to_be_hidden()


async def test_hostile_names_stay_text(looker: Looker, api: ApiServer, world: FleetWorld) -> None:
    """Of platforms, workers and alerts: in tables, lists, choices and charts."""
    page = looker.page
    publish_hostile(world)

    async def rename(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        told["data"]["platforms"][0]["name"] = HOSTILE
        await route.fulfill(response=answer, json=told)

    await page.route("**/api/performance/dashboard*", rename)
    await enter(page, api, Role.ADMIN)
    await expect(page.locator("#platforms-rows")).to_contain_text(HOSTILE)
    await expect(page.locator("#workers-rows")).to_contain_text(HOSTILE)
    await expect(page.locator("#alerts-list")).to_contain_text(HOSTILE)
    await expect(page.locator("#verdicts-chart .ytick").filter(has_text="<img src=x")).to_have_count(1)
    assert await page.locator("#board img, #board b").count() == 0
    assert await page.title() == "(warning) pagemill"
    assert looker.unexpected() == []


def publish_hostile(world: FleetWorld) -> None:
    """A worker and an alert."""
    worker = world.worker(WORKERS[0])
    publish(world.redis, replace(worker, name=HOSTILE))
    world.alert(HOSTILE, "critical", HOSTILE)


async def test_the_page_outlives_the_server(looker: Looker, api: ApiServer) -> None:
    """It says since when nobody answers, keeps what it knows, and goes on by itself."""
    page = looker.page
    await enter(page, api, Role.PLANNER)
    await expect(page.locator("#workers-rows tr")).to_have_count(3)
    api.stop()
    await expect(page.locator("#connection-text")).to_contain_text("No connection since", timeout=_PATIENT_MS)
    await expect(page.locator("#workers-rows tr")).to_have_count(3)
    api.start()
    await expect(page.locator("#connection-text")).to_have_text("Live", timeout=40_000)
    assert looker.unexpected("ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET") == []


async def test_nothing_is_asked_for_while_nobody_looks(looker: Looker, api: ApiServer) -> None:
    """A hidden tab is silent; shown again, it asks at once."""
    page = looker.page
    await enter(page, api, Role.PLANNER)
    asked: list[float] = []
    page.on("request", lambda request: asked.append(time.monotonic()))
    await hide(page, True)
    await expect(page.locator("#connection-text")).to_have_text("Paused while hidden")
    await page.wait_for_timeout(300)  # what was under way may end
    before = len(asked)
    await page.wait_for_timeout(2500)
    assert len(asked) == before
    await hide(page, False)
    await expect(page.locator("#connection-text")).to_have_text("Live")
    assert len(asked) > before


async def test_an_answer_that_comes_to_a_hidden_page_does_not_call_it_live(looker: Looker, api: ApiServer) -> None:
    """It was asked for before."""
    page = looker.page
    await enter(page, api, Role.PLANNER)
    held: list[Route] = []
    await page.route("**/api/performance/dashboard*", lambda route: held.append(route))
    async with page.expect_request("**/api/performance/dashboard*"):
        pass
    await hide(page, True)
    await expect(page.locator("#connection-text")).to_have_text("Paused while hidden")
    async with page.expect_response("**/api/performance/dashboard*"):
        for route in held:
            await route.continue_()
    await page.wait_for_timeout(500)
    await expect(page.locator("#connection-text")).to_have_text("Paused while hidden", timeout=1)


async def hide(page: Page, hidden: bool) -> None:
    """As the browser would, which a headless one never does."""
    await page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


async def test_files_are_kept_by_version_and_nothing_comes_from_elsewhere(looker: Looker, api: ApiServer) -> None:
    """Everything from this server, small on the way; a file that is not in the table does not exist."""
    page = looker.page
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
    await enter(page, api, Role.PLANNER)
    await expect(page.locator("#memory-chart .main-svg").first).to_be_visible()
    assert hosts == {api.url.removeprefix("http://")}
    address = await page.locator('script[src*="plotly"]').get_attribute("src") or ""
    assert re.search(r"/performance/static/[0-9a-f]{16}/plotly\.min\.js$", address)
    answer = await page.request.get(address)
    assert (answer.headers["content-encoding"], answer.headers["cache-control"]) == (
        "gzip",
        "public, max-age=31536000, immutable",
    )
    for other in (address.replace("plotly.min.js", "%2e%2e%2froutes.py"), address.replace("plotly.min", "none")):
        assert (await page.request.get(other)).status == 404


@pytest.mark.parametrize("width", [360, 1280])
async def test_no_sideways_scrolling(looker: Looker, api: ApiServer, width: int) -> None:
    """Of the page as a whole; wide tables scroll in their own frame, also by keyboard."""
    page = looker.page
    await page.set_viewport_size({"width": width, "height": 800})
    await enter(page, api, Role.ADMIN)
    await expect(page.locator("#platforms-rows tr")).to_have_count(len(PLATFORMS))
    await expect(page.locator("#memory-chart .main-svg").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
