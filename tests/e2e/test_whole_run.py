"""Whole runs by the commands a user types, with real Redis, SQLite and Chromium."""

from __future__ import annotations

import json
import os
import signal

import pytest

from pagemill.demo.catalogue import PLATFORM_PATHS, generate, write_catalogue_csv, write_catalogue_jsonl
from pagemill.demo.faults import FAULTS
from pagemill.demo.storefront import StorefrontProcess
from pagemill.model import Verdict
from tests.e2e.workplace import Workplace, assert_each_right_once, browser_pids, driver_pids

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_three_platforms_from_files_to_results(place: Workplace, shop: StorefrontProcess) -> None:
    """Enqueue by CSV and JSONL, work until the queues are empty, export: right verdicts, and nothing is left. Every
    built-in strategy goes without a driver, also the one that captures answers."""
    place.settings(browser={"driver": "none"})
    rows = {}
    for number, platform in enumerate(PLATFORM_PATHS):
        place.platform(platform)
        rows[platform] = list(generate(platform, shop.base_url, 30))
        file = place.folder / (f"{platform}.csv" if number % 2 == 0 else f"{platform}.jsonl")
        (write_catalogue_csv if number % 2 == 0 else write_catalogue_jsonl)(file, rows[platform])
        said = place.run("enqueue", str(file), "--platform", platform, "--batch-size", "12").stdout
        assert "30 products in 3 batches" in said
    with place.worker("--burst") as worker:
        assert worker.wait(120) == 0
    with place.store() as store:
        runs = {summary.platform: summary.run for summary in store.runs()}
    for platform, expected in rows.items():
        assert_each_right_once(expected, place.results(runs[platform]))
    exported = place.run("results", "--run", runs["demo-jsonld"], "--verdict", "ok", "--format", "jsonl").stdout
    records = [json.loads(line) for line in exported.splitlines()]
    assert {record["verdict"] for record in records} == {"ok"}
    assert "waiting" in place.run("status").stdout
    place.assert_nothing_left()


def test_rotations_come_after_exactly_their_uses(place: Workplace, shop: StorefrontProcess) -> None:
    """Pages are replaced after every 10 uses and contexts after every 50, and the log says so."""
    # Each lane has a context of its own: two reach 50 uses sooner than four.
    place.platform("demo-hydrated", workflow={"concurrency": {"default": 2}})
    # A refused visit ends its page and context before their time.
    rows = list(generate("demo-hydrated", shop.base_url, 130))
    rows = [row for row in rows if row.right_verdict is not Verdict.BLOCKED]
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        assert worker.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    worn = [event["uses"] for event in place.events("Page Rotation") if event["reason"] == "uses"]
    assert len(worn) >= len(rows) / 10 - len(rows) / 50 - 4
    assert set(worn) == {10}
    contexts = [event["uses"] for event in place.events("Context Rotation") if event["reason"] == "uses"]
    assert len(contexts) >= 2
    assert set(contexts) == {50}
    place.assert_nothing_left()


@pytest.mark.parametrize("driver", ["playwright", "none"])
def test_every_fault_has_its_verdict_and_harms_no_neighbour(
    place: Workplace, shop: StorefrontProcess, driver: str
) -> None:
    """Every second product has a fault; all verdicts are right, nothing is visited elsewhere, nothing stays open."""
    place.settings(browser={"driver": driver})
    place.platform("demo-hydrated", navigation={"timeout_ms": 6000}, retry={"attempts": 2, "backoff_ms": 50})
    rows = list(generate("demo-hydrated", shop.base_url, 2 * len(FAULTS), faults=list(FAULTS), fault_every=2))
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        assert worker.wait(170) == 0
    assert_each_right_once(rows, place.results(run))
    hits = shop.hits()
    assert hits.faults.keys() == FAULTS.keys()
    assert hits.paths.get("/elsewhere", 0) == 0
    assert hits.paths.get("/popup", 0) == 0
    assert list((place.folder / "data" / "artifacts").glob("*.jpg"))
    place.assert_nothing_left()


def test_a_wrong_command_says_what_to_do(place: Workplace) -> None:
    """One line on standard error, no traceback, and the documented exit code."""
    unknown = place.run("enqueue", "missing.csv", "--platform", "nosuch", check=False)
    assert unknown.returncode == 2
    assert "nosuch" in unknown.stderr
    missing = place.run("enqueue", "missing.csv", "--platform", "demo-hydrated", check=False)
    assert missing.returncode == 2
    assert "missing.csv" in missing.stderr
    assert "Traceback" not in unknown.stderr + missing.stderr


def test_a_service_out_of_reach_ends_with_69(place: Workplace) -> None:
    """Redis and browser: the message names the remedy."""
    place.environment_changes = {"PAGEMILL_REDIS_URL": "redis://127.0.0.1:9"}
    without_redis = place.run("worker", "--burst", check=False)
    assert without_redis.returncode == 69
    assert "PAGEMILL_REDIS_URL" in without_redis.stderr
    place.environment_changes = {"PAGEMILL_CHROMIUM": "/nowhere/chromium"}
    without_browser = place.run("worker", "--burst", check=False)
    assert without_browser.returncode == 69
    assert "PAGEMILL_CHROMIUM" in without_browser.stderr


def test_try_shows_one_product(place: Workplace, shop: StorefrontProcess) -> None:
    """Facts, verdict and times; and a picture when asked for."""
    said = place.run(
        "try", f"{shop.base_url}/hydrated/p/x.ok", "--platform", "demo-hydrated", "--screenshot", "page.jpg"
    ).stdout
    assert "verdict" in said
    assert "price" in said
    assert (place.folder / "page.jpg").read_bytes()[:2] == b"\xff\xd8"
    refused = place.run("try", "http://127.0.0.2/", "--platform", "demo-hydrated", check=False)
    assert refused.returncode == 2
    assert "hosts" in refused.stderr


def test_without_a_driver_a_killed_browser_costs_nothing(place: Workplace, shop: StorefrontProcess) -> None:
    """Chromium's own protocol, the default here: no Node process, and every product has its right result."""
    place.platform("demo-jsonld")
    rows = list(generate("demo-hydrated", shop.base_url, 80))
    run = place.enqueue("demo-hydrated", rows)
    with place.worker("--burst") as worker:
        for stage in (10, 35):
            place.wait_for(run, stage)
            assert driver_pids(worker.pid) == []
            os.kill(browser_pids(worker.pid)[0], signal.SIGKILL)
        assert worker.wait(120) == 0
    assert_each_right_once(rows, place.results(run))
    assert len(place.events("Browser Lost")) == 2
    place.assert_nothing_left()


def test_a_strategy_that_needs_playwright_says_so(place: Workplace) -> None:
    """Before anything is started."""
    (place.folder / "badge.py").write_text(
        "class Badge:\n    def __init__(self, platform): ...\n    async def read(self, page, visit): ...\n"
    )
    place.environment_changes["PYTHONPATH"] = str(place.folder)
    place.platform("demo-api", extract={"strategy": "badge.Badge", "match": None})
    place.settings(browser={"driver": "none"})
    ended = place.run("worker", "--burst", check=False)
    assert ended.returncode == 2
    assert "browser.driver: none does not go with the strategy of demo-api" in ended.stderr
