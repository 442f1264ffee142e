"""Log files of workers under a supervisor: all of them write into the same files, and a full disk ends nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from tests.e2e.workplace import Workplace, assert_each_right_once

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PRODUCTS = 40


def work_off(place: Workplace, shop: StorefrontProcess) -> None:
    """A run by two workers, which both end well."""
    rows = list(generate("demo-hydrated", shop.base_url, PRODUCTS))
    with place.redis():
        run = place.enqueue("demo-hydrated", rows, batch_size=5)
        with place.worker("--processes", "2", "--burst") as supervisor:
            assert supervisor.wait(120) == 0
    assert_each_right_once(rows, place.results(run))


def lines_in(file: Path) -> list[str]:
    return file.read_text().splitlines()


def test_all_processes_write_into_the_same_files(place: Workplace, shop: StorefrontProcess) -> None:
    """What standard error has as JSON is there for people, each line once."""
    place.environment_changes["PAGEMILL_LOG_FOLDER"] = "logs"
    work_off(place, shop)
    combined = lines_in(place.folder / "logs" / "combined.log")
    batches = [line for line in combined if "] Batch  " in line]
    assert len(batches) == len(place.events("Batch")) == PRODUCTS / 5
    started = [line for line in combined if "] Worker Started" in line]
    processes = {line.split("process=")[1].split()[0] for line in started}
    assert len(processes) == 2
    performance = lines_in(place.folder / "logs" / "performance.log")
    assert len([line for line in performance if "] Batch  " in line]) == PRODUCTS / 5
    assert any("] Memory  " in line for line in performance)
    assert lines_in(place.folder / "logs" / "error.log") == []


def test_a_full_disk_ends_no_worker(place: Workplace, shop: StorefrontProcess) -> None:
    """Each process tells it once, and standard error has every line."""
    logs = place.folder / "logs"
    logs.mkdir()
    (logs / "combined.log").symlink_to("/dev/full")
    place.environment_changes["PAGEMILL_LOG_FOLDER"] = str(logs)
    work_off(place, shop)
    assert len(place.events("Batch")) == PRODUCTS / 5
    told = place.events("Log Files Away")
    assert 2 <= len(told) <= 3, json.dumps(told)
    assert all("No space left" in line["error"] for line in told)
