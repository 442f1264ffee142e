"""A worker that heals itself: a loop that stands still for good, a page that eats memory, a browser that hangs."""

from __future__ import annotations

import textwrap
import time
from dataclasses import replace

import psutil
import pytest

from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import Verdict
from pagemill.telemetry import events
from tests.e2e.workplace import Workplace, assert_each_right_once, browser_pids, driver_pids, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis]

SHOP = "demo-hydrated"
SLEEPER = textwrap.dedent(
    '''
    """A strategy with a planted mistake: one product makes it sleep on the event loop."""
    import time

    from pagemill.extraction.page_reader import Watch, visit_page
    from pagemill.config.reading.field_rule import FieldRule
    from pagemill.extraction.values import to_fact
    from pagemill.model import PageReading

    NUMBER = FieldRule(path="price", type="number")


    class SleepyStrategy:
        def __init__(self, platform):
            places = (("h1.name", None), (".price", None), (".stock", None))
            self.watch = Watch.of(platform, places, ready="body[data-ready]")

        async def read(self, page, visit):
            if visit.product.id.endswith("0007"):
                time.sleep(100_000)
            seen = await visit_page(page, visit, self.watch)
            name, price, stock = seen.raw or (None, None, None)
            facts = {"name": name, "price": price and to_fact(price, NUMBER), "in_stock": stock and stock == "in"}
            return PageReading(seen.status, seen.url, facts, seen.ready, seen.texts)
    '''
)


def quick_platform(place: Workplace, **changes: dict[str, object]) -> None:
    """The shipped one without waits."""
    workflow = {"rate_limit": {"enabled": False}, "concurrency": {"default": 4}}
    place.platform(SHOP, workflow=workflow, **changes)


def test_a_loop_that_sleeps_for_good_is_noticed_dumped_and_healed(place: Workplace, shop: StorefrontProcess) -> None:
    """Every worker that meets the product is replaced; the product ends as failed, and all others get their verdict."""
    (place.folder / "sleeper.py").write_text(SLEEPER)
    place.environment_changes["PYTHONPATH"] = str(place.folder)
    quick_platform(place, extract={"strategy": "sleeper.SleepyStrategy"})
    place.settings(guard={"stuck_after_s": 1}, queue={"max_retries": 5})
    rows = list(generate(SHOP, shop.base_url, 30))
    run = place.enqueue(SHOP, rows)

    with place.worker("--processes", "1") as supervisor:
        place.wait_for(run, 30, timeout_s=150)
        supervisor.terminate()
        assert supervisor.wait(60) == 0

    stuck = place.events(events.LOOP_STUCK)
    assert {line["step"] for line in stuck} == {"dump", "kill browser", "abandon"}
    dump = next(line["stacks"] for line in stuck if line["step"] == "dump")
    assert "time.sleep(100_000)" in dump
    assert "thread MainThread" in dump
    assert place.events(events.WORKER_WORN_OUT)
    ended = [line["exit_code"] for line in place.events(events.WORKER_ENDED)]
    assert ended.count(75) >= 2
    results = {result.product_id: result for result in place.results(run)}
    assert len(results) == len(place.results(run)) == 30
    failed = [result.product_id for result in results.values() if result.verdict is Verdict.FAILED]
    assert failed == [row.product.id for row in rows if row.product.id.endswith("0007")]
    place.assert_nothing_left()


@pytest.mark.parametrize(
    "guard",
    [{"renderer_limit_mb": 400, "js_heap_limit_mb": 4096}, {"js_heap_limit_mb": 128}],
    ids=["killed by the guard", "ended by Chromium"],
)
def test_a_memory_bomb_costs_its_own_page_only(
    place: Workplace, shop: StorefrontProcess, guard: dict[str, int]
) -> None:
    """Its product fails; its neighbours have their verdicts, and the browser goes on."""
    quick_platform(place, retry={"attempts": 2, "backoff_ms": 100})
    place.settings(guard=guard)
    rows = [bomb(row) for row in generate(SHOP, shop.base_url, 30, faults=["eats-memory"], fault_every=10)]
    run = place.enqueue(SHOP, rows, batch_size=10)

    with place.worker("--burst") as worker:
        assert worker.wait(150) == 0

    results = place.results(run)
    assert_each_right_once(rows, results)
    failed = [result.product_id for result in results if result.verdict is Verdict.FAILED]
    assert failed == [row.product.id for row in rows if "eats-memory" in row.product.url]
    assert len(failed) == 3
    assert place.events(events.BROWSER_LOST) == []
    assert bool(place.events(events.RENDERER_KILLED)) is ("renderer_limit_mb" in guard)
    place.assert_nothing_left()


def bomb(row: CatalogueRow) -> CatalogueRow:
    """The row, with 3 GB instead of 300 MB where its page eats memory."""
    if "eats-memory" not in row.product.url:
        return row
    return replace(row, product=replace(row.product, url=f"{row.product.url}&mb=3000"))


@pytest.mark.parametrize("victim", ["browser", "driver"])
def test_a_browser_or_driver_that_is_stopped_is_replaced_within_seconds(
    place: Workplace, shop: StorefrontProcess, victim: str
) -> None:
    """Nobody continues it: the guard kills it, and each product has exactly one right result."""
    quick_platform(place)
    place.settings(browser={"driver": "playwright" if victim == "driver" else "auto"})
    rows = list(generate(SHOP, shop.base_url, 80))
    run = place.enqueue(SHOP, rows)
    with place.worker("--burst") as worker:
        place.wait_for(run, 20)
        pids = browser_pids(worker.pid) if victim == "browser" else driver_pids(worker.pid)
        psutil.Process(pids[0]).suspend()
        stopped_s = time.monotonic()
        eventually(lambda: not psutil.pid_exists(pids[0]), 10, f"the end of the stopped {victim}")
        with place.store() as store:
            before = store.progress(run).done
            eventually(lambda: store.progress(run).done > before + 8, 15, "work to go on")
        assert time.monotonic() - stopped_s < 20
        assert worker.wait(120) == 0
    results = place.results(run)
    assert_each_right_once(rows, results)
    place.assert_nothing_left()
