"""One contestant's run at a polite pace: how each is started, and how the pace is made the same for all.

A lane of pagemill visits, waits 3 to 4 s, drawn evenly, and visits again: with 4 lanes a shop sees 4 visits in 3.5 s
and what a visit lasts. The peers have no lanes that wait but a rate, each in its own way (see their programs), and are
given that rate: `Case.per_minute`. All shops have all their products queued before anybody starts.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import yaml

from benchmarks import race
from benchmarks.meter import Course, measured
from benchmarks.polite_figures import Case, Failure, Lap, lap_of
from benchmarks.polite_shops import PLATFORM, Street, address, catalogue
from benchmarks.polite_turns import TurnsHeard
from benchmarks.race import Visited, check, own_environment, store_url, stored_visits
from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.demo.catalogue import CatalogueRow
from pagemill.intake.enqueue import enqueue_run
from pagemill.results.store import ResultStore

Catalogues = Sequence[Sequence[CatalogueRow]]
"""The products of each shop."""
_START_S = 180.0


class Contestant(Protocol):
    """Somebody who visits pages of several shops."""

    @property
    def name(self) -> str: ...
    def prepare(self, case: Case, catalogues: Catalogues, folder: Path) -> tuple[list[str], dict[str, str]]:
        """The command that visits, and its environment; it runs in the folder."""
        ...

    def data(self, folder: Path) -> Path | None:
        """Where a Redis tells how late turns are."""
        ...

    def visits(self, folder: Path) -> list[Visited]:
        """What it has noted."""
        ...


@dataclass(frozen=True, slots=True)
class Pagemill:
    """Ourselves as users run it, with the shipped configuration and a platform for each shop.

    Redis is the embedded one, a real server that counts among our processes; results go to SQLite.
    """

    name: str = "pagemill"
    processes: int | None = None
    """As `pagemill worker --processes`; `None`: one, without a supervisor."""

    def prepare(self, case: Case, catalogues: Catalogues, folder: Path) -> tuple[list[str], dict[str, str]]:
        """See `Contestant`."""
        shutil.copytree(race.REPOSITORY / "config", folder / "config")
        platforms = folder / "config" / "platforms"
        for file in platforms.iterdir():
            file.unlink()
        write_platforms(case, platforms)
        config = load_config(folder / "config", {})
        runs = []
        with open_redis("", folder / "data") as redis, ResultStore(store_url(folder)) as store:
            for number, rows in enumerate(catalogues):
                enqueued = enqueue_run(
                    (row.product for row in rows),
                    config.platforms[platform_name(number)],
                    source="benchmark",
                    batch_size=config.settings.queue.batch_size,
                    settings=config.settings.queue,
                    redis=redis,
                    store=store,
                )
                runs.append(enqueued.run)
        (folder / "runs").write_text("\n".join(runs))
        processes = [] if self.processes is None else ["--processes", str(self.processes)]
        return [sys.executable, "-m", "pagemill", "worker", "--burst", *processes], own_environment()

    def data(self, folder: Path) -> Path | None:
        """See `Contestant`."""
        return folder / "data"

    def visits(self, folder: Path) -> list[Visited]:
        """See `Contestant`."""
        return stored_visits(folder, (folder / "runs").read_text().split())


def platform_name(number: int) -> str:
    """Of the shop of that number, from 0."""
    return f"shop-{number + 1:02}"


def write_platforms(case: Case, folder: Path) -> None:
    """A file for each shop of the case, at its pace."""
    shipped = yaml.safe_load((race.REPOSITORY / "config" / "platforms" / f"{PLATFORM}.yaml").read_text())
    shipped["workflow"]["rate_limit"]["wait_time_ms"] = "{}-{}".format(*case.wait_ms)
    shipped["workflow"]["concurrency"]["default"] = case.lanes
    for number in range(case.shops):
        settings = {**shipped, "platform": platform_name(number), "hosts": [address(number)]}
        (folder / f"{platform_name(number)}.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))


@dataclass(frozen=True, slots=True)
class Peer:
    """One from outside, in one process, with the shops' URLs in turns."""

    name: str
    python: Path
    module: str

    def prepare(self, case: Case, catalogues: Catalogues, folder: Path) -> tuple[list[str], dict[str, str]]:
        """See `Contestant`."""
        pace = ("--shops", str(case.shops), "--per-minute", str(case.per_minute))
        in_turns = list(chain.from_iterable(zip(*catalogues, strict=True)))
        program = race.Program(self.name, self.python, self.module, pace)
        return program.prepare(race.Case("normal", case.lanes, len(in_turns)), in_turns, folder)

    def data(self, folder: Path) -> Path | None:
        """See `Contestant`."""
        return None

    def visits(self, folder: Path) -> list[Visited]:
        """See `Contestant`."""
        return race.Program(self.name, self.python, self.module).visits(folder)


def catalogues_of(case: Case, street: Street) -> list[list[CatalogueRow]]:
    """The products of a case."""
    urls = street.base_urls[: case.shops]
    return [catalogue(url, number, case.products, leak_kb=case.leak_kb) for number, url in enumerate(urls)]


def run_lap(contestant: Contestant, case: Case, street: Street, catalogues: Catalogues) -> Lap | Failure:
    """Runs and measures it; whatever goes wrong with it is told, and not raised."""
    with tempfile.TemporaryDirectory(prefix="polite-") as scratch:
        try:
            lap, _course = carry_out(contestant, case, street, catalogues, Path(scratch))
        except (RuntimeError, ValueError, OSError) as error:  # TimeoutError is one of these
            return Failure(str(error))
    return lap


def carry_out(
    contestant: Contestant, case: Case, street: Street, catalogues: Catalogues, folder: Path
) -> tuple[Lap, Course]:
    """One run in a folder, where `output.txt` has what was printed.

    Raises:
        RuntimeError: it failed, or left processes behind; the message ends with its last words.
        TimeoutError: it did not end in time. There is time for one shop after the other.
        ValueError: it visited too little.
    """
    command, environment = contestant.prepare(case, catalogues, folder)
    output = folder / "output.txt"
    one_by_one_s = 2 * case.shops * case.products / case.lanes * case.wait_ms[1] / 1000
    street.take_arrivals()  # of whoever was here before
    with TurnsHeard(contestant.data(folder)) as heard:
        course = measured(
            command, cwd=folder, environment=environment, output=output, timeout_s=_START_S + one_by_one_s
        )
    visits = contestant.visits(folder)
    check(contestant.name, course, visits, output)
    shop_of = {row.product.id: number for number, rows in enumerate(catalogues) for row in rows}
    return lap_of(case, visits, course, street.take_arrivals(), shop_of, heard.between), course
