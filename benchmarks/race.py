"""One contestant's run over one case, measured from outside.

Owns how each contestant is started and what its notes are worth: a visit counts as complete when every fact that it
brought home is the one that the shop showed. How the figures are compared is `bench`'s.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from benchmarks.meter import Course, measured
from pagemill.broker.connection import open_redis
from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine, find_chromium
from pagemill.config.loading import load_config
from pagemill.config.settings import BrowserSettings
from pagemill.demo.catalogue import CatalogueRow
from pagemill.demo.truth import truth_of
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import ItemResult, Verdict
from pagemill.results.store import ResultStore

REPOSITORY = Path(__file__).parents[1]
PLATFORM = "demo-hydrated"
_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be visited and how."""

    weight: str
    """Of the shop's pages, see docs/storefront.md."""
    lanes: int
    products: int
    gap_s: float = 0.0
    """Seconds between two visits of a lane."""
    short_cut: bool = False
    """Whether pagemill's two ways are compared with one another, and nobody else."""


@dataclass(frozen=True, slots=True)
class Visited:
    """One visit; times are seconds since the epoch."""

    product_id: str
    started: float
    finished: float
    complete: bool


@dataclass(frozen=True, slots=True)
class Lap:
    """What one contestant did in one case."""

    items_per_s: float
    """From the first visit's start to the last one's end."""
    cpu_ms: float
    """Per item, of the whole process tree, in the same time."""
    whole_cpu_ms: float
    """Per item, with starting and ending."""
    peak_pss_mb: float
    end_pss_mb: float
    """When the last visit ended."""
    p50_ms: float
    p99_ms: float
    complete: float
    """Share of the products."""
    seconds: float


class Contestant(Protocol):
    """Somebody who visits pages."""

    @property
    def name(self) -> str: ...
    def prepare(self, case: Case, rows: Sequence[CatalogueRow], folder: Path) -> tuple[list[str], dict[str, str]]:
        """The command that visits, and its environment; it runs in the folder."""
        ...

    def visits(self, folder: Path) -> list[Visited]:
        """What it has noted."""
        ...


def run_lap(contestant: Contestant, case: Case, rows: Sequence[CatalogueRow]) -> Lap:
    """Runs and measures it.

    Raises:
        RuntimeError: it failed, or left processes behind; the message ends with its last words.
    """
    with tempfile.TemporaryDirectory(prefix=f"{contestant.name}-") as scratch:
        folder = Path(scratch)
        command, environment = contestant.prepare(case, rows, folder)
        output = folder / "output.txt"
        course = measured(command, cwd=folder, environment=environment, output=output, timeout_s=_TIMEOUT_S)
        visits = contestant.visits(folder)
        check(contestant.name, course, visits, output)
    begin = min(visit.started for visit in visits)
    end = max(visit.finished for visit in visits)
    took_ms = sorted(1000 * (visit.finished - visit.started) for visit in visits)
    complete = {visit.product_id for visit in visits if visit.complete}
    return Lap(
        items_per_s=len(visits) / (end - begin),
        cpu_ms=1000 * course.cpu_s_between(begin, end) / len(visits),
        whole_cpu_ms=1000 * course.cpu[-1][1] / len(visits),
        peak_pss_mb=course.peak_pss_mb(),
        end_pss_mb=course.pss_mb_at(end),
        p50_ms=statistics.median(took_ms),
        p99_ms=took_ms[min(len(took_ms) - 1, round(0.99 * len(took_ms)))],
        complete=len(complete) / len(rows),
        seconds=end - begin,
    )


def check(name: str, course: Course, visits: Sequence[Visited], output: Path) -> None:
    """
    Raises:
        RuntimeError: as `run_lap`.
    """
    if course.exit_code != 0 or course.left_behind or not visits:
        last_words = output.read_text(errors="replace")[-1500:]
        raise RuntimeError(f"{name}: exit code {course.exit_code}, {course.left_behind}: {last_words}")


@dataclass(frozen=True, slots=True)
class Program:
    """A contestant from `contestants`: a program that follows `contestants.notes`."""

    name: str
    python: Path
    module: str
    """In `benchmarks.contestants`."""
    options: tuple[str, ...] = ()

    def prepare(self, case: Case, rows: Sequence[CatalogueRow], folder: Path) -> tuple[list[str], dict[str, str]]:
        """See `Contestant`."""
        urls = folder / "urls.txt"
        urls.write_text("\n".join(row.product.url for row in rows))
        chromium = find_chromium(None)
        options = launch_options(BrowserSettings(), examine_machine(), case.lanes, frozenset(("image", "font")))
        switches = [*options.args, *([] if options.sandbox else ["--no-sandbox"])]
        command = [
            str(self.python),
            "-m",
            f"benchmarks.contestants.{self.module}",
            "--urls",
            str(urls),
            "--lanes",
            str(case.lanes),
        ]
        command += ["--output", str(folder / "notes.jsonl"), "--gap-s", str(case.gap_s)]
        command += ["--chromium", str(chromium), "--switches", json.dumps(switches), *self.options]
        return command, {**os.environ, "PYTHONPATH": str(REPOSITORY)}

    def visits(self, folder: Path) -> list[Visited]:
        """See `Contestant`."""
        notes = folder / "notes.jsonl"
        if not notes.exists():
            return []
        return [_visited(json.loads(line)) for line in notes.read_text().splitlines()]


def _visited(note: Mapping[str, Any]) -> Visited:
    product_id = note["url"].partition("?")[0].rpartition("/")[2]
    truth = truth_of(product_id)
    right = {
        "name": truth.name,
        "price": f"{truth.price:,}원",
        "stock": "in" if truth.in_stock else "out",
        "image": truth.image,
    }
    return Visited(product_id, note["started"], note["finished"], note["facts"] == right)


@dataclass(frozen=True, slots=True)
class Pagemill:
    """Ourselves as users run it: queue, stored results, guard, firewall and log, with the shipped configuration."""

    name: str = "pagemill"
    extract: Mapping[str, Any] = field(default_factory=dict)
    """Changes to the platform's section of that name."""

    def prepare(self, case: Case, rows: Sequence[CatalogueRow], folder: Path) -> tuple[list[str], dict[str, str]]:
        """See `Contestant`."""
        shutil.copytree(REPOSITORY / "config", folder / "config")
        file = folder / "config" / "platforms" / f"{PLATFORM}.yaml"
        settings = yaml.safe_load(file.read_text())
        settings["workflow"]["rate_limit"]["wait_time_ms"] = round(1000 * case.gap_s)
        settings["workflow"]["concurrency"]["default"] = case.lanes
        settings["extract"] |= self.extract
        if self.extract.get("strategy") == "http":
            del settings["judge"]  # its texts are those of pages
        file.write_text(yaml.safe_dump(settings, allow_unicode=True))
        config = load_config(folder / "config", {})
        with open_redis("", folder / "data") as redis, ResultStore(store_url(folder)) as store:
            run = enqueue_run(
                (row.product for row in rows),
                config.platforms[PLATFORM],
                source="benchmark",
                batch_size=config.settings.queue.batch_size,
                settings=config.settings.queue,
                redis=redis,
                store=store,
            )
        (folder / "run").write_text(run.run)
        return [sys.executable, "-m", "pagemill", "worker", "--burst", "--platform", PLATFORM], own_environment()

    def visits(self, folder: Path) -> list[Visited]:
        """See `Contestant`."""
        return stored_visits(folder, [(folder / "run").read_text()])


def own_environment() -> dict[str, str]:
    """This process' without what would set pagemill up otherwise."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_")}


def stored_visits(folder: Path, runs: Sequence[str]) -> list[Visited]:
    """Of pagemill's runs, from the results below that folder."""
    with ResultStore(store_url(folder)) as store:
        results = [result for run in runs for result in store.read(run)]
    return [
        Visited(result.product_id, result.started_at.timestamp(), result.finished_at.timestamp(), _is_complete(result))
        for result in results
    ]


def store_url(folder: Path) -> str:
    """Pagemill's own default, below that folder."""
    return f"sqlite:///{folder / 'data' / 'pagemill.db'}"


def _is_complete(result: ItemResult) -> bool:
    truth = truth_of(result.product_id)
    right = {"name": truth.name, "price": truth.price, "in_stock": truth.in_stock, "image": truth.image}
    return result.verdict is Verdict.OK and result.facts == right
