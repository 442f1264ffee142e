"""`pagemill demo`: a whole run with real parts, on a practice shop whose right verdicts are known."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pagemill.broker.connection import open_redis
from pagemill.cli.options import load
from pagemill.cli.progress import follow
from pagemill.cli.wording import counted
from pagemill.config.loading import load_config
from pagemill.config.settings import Config
from pagemill.config.shipped import SHIPPED_CONFIG
from pagemill.errors import PagemillError, ServiceUnavailable
from pagemill.intake.catalog import read_catalog
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Verdict
from pagemill.results.store import ResultStore
from pagemill.telemetry import events

if TYPE_CHECKING:
    from pagemill.demo.storefront import StorefrontProcess

_FOLDER = Path("data") / "demo"
_PRACTICE = ("demo-hydrated", "demo-jsonld", "demo-api")
_STOP_S = 60


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """The folder with the demo's own Redis, database and log; it is the worker's working directory."""

    folder: Path
    config_folder: Path
    platforms: tuple[str, ...]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.data / 'pagemill.db'}"

    @property
    def log(self) -> Path:
        return self.folder / "worker.log"


def demo(
    products: Annotated[int, typer.Option(min=3, max=100_000, help="How many products to validate.")] = 150,
    keep: Annotated[bool, typer.Option("--keep", help="Keep database, log and catalogues in data/demo.")] = False,
    shops: Annotated[
        bool, typer.Option("--shops", help="Take the practice forms of the six shipped shops, by their own files.")
    ] = False,
) -> None:
    """Validate a practice catalogue from end to end.

    Everything is real: embedded Redis, SQLite, a worker with its browser, and the practice shop. Ends with 0 only if
    every verdict is the right one; with --shops, every fact as well. It needs no configuration; the settings of the
    present one count, and its files of the practice shop where it has them.
    """
    console = Console(highlight=False)
    with _surroundings(keep, _platforms(shops)) as place:
        wrong = _run(load_config(place.config_folder), place, products, console)
        if keep:
            console.print(f"kept: {place.folder} (worker.log, data/pagemill.db, configuration, catalogues)")
    raise typer.Exit(1 if wrong else 0)


def _run(config: Config, place: _Surroundings, products: int, console: Console) -> int:
    from pagemill.demo.storefront import StorefrontProcess

    shops = place.platforms == _platforms(shops=True)
    with (
        StorefrontProcess(shops=shops) as shop,
        open_redis("", place.data) as redis,
        ResultStore(place.database_url) as store,
    ):
        if shops:
            place, config = _with_local_shops(place, shop.port)
        console.print(f"practice shop at {shop.base_url}, embedded Redis, SQLite")
        right: dict[tuple[str, str], Any] = {}
        runs = []
        for platform, count in _shares(products, place.platforms):
            file = place.folder / f"{platform}.csv"
            right.update(_write_catalogue(file, platform, shop, count))
            shop_config = config.platforms[platform]
            run = enqueue_run(
                read_catalog(file, shop_config, _refuse_bad_row),
                shop_config,
                source=str(file),
                batch_size=config.settings.queue.batch_size,
                settings=config.settings.queue,
                redis=redis,
                store=store,
            )
            console.print(f"queued {run.products} products of {platform} in {counted(run.batches, 'batch', 'batches')}")
            runs.append(run.run)
        started_s = time.monotonic()
        with _worker(place) as process:
            follow(Console(stderr=True), store, runs, lambda: _raise_if_ended(process, place))
            seconds = time.monotonic() - started_s
            _end(process)
        wrong = _report(console, store, runs, right)
        _report_worker(console, place, products, seconds)
    return wrong


def _platforms(shops: bool) -> tuple[str, ...]:
    from pagemill.demo.shops.addresses import SHOPS

    return tuple(SHOPS) if shops else _PRACTICE


def _with_local_shops(place: _Surroundings, port: int) -> tuple[_Surroundings, Config]:
    """The surroundings, with the shops' shipped files changed so that they visit the practice shops."""
    from pagemill.demo.shops.local import write_local_config

    local = place.folder / "local"
    write_local_config(place.config_folder, local, port)
    return replace(place, config_folder=local), load_config(local)


@contextmanager
def _surroundings(keep: bool, platforms: tuple[str, ...]) -> Iterator[_Surroundings]:
    present = _present_config()
    if keep:
        shutil.rmtree(_FOLDER, ignore_errors=True)
        _FOLDER.mkdir(parents=True)
        yield _furnished(_FOLDER.absolute(), present, platforms)
    else:
        with tempfile.TemporaryDirectory(prefix="pagemill-demo-") as folder:
            yield _furnished(Path(folder), present, platforms)


def _present_config() -> Path:
    """The configuration folder that the settings are taken from; the shipped one if there is no other.

    Raises:
        ConfigError: the configuration has mistakes.
    """
    is_named = os.environ.get("PAGEMILL_CONFIG") or Path("config").exists()
    config = load("WARNING", folder=None if is_named else SHIPPED_CONFIG)
    return config.environment.config_folder


def _furnished(folder: Path, present: Path, platforms: tuple[str, ...]) -> _Surroundings:
    """Creates in the folder a configuration with only these platforms."""
    place = _Surroundings(folder, folder / "config", platforms)
    (place.config_folder / "platforms").mkdir(parents=True)
    for name in ("pagemill.yaml", *(f"platforms/{platform}.yaml" for platform in platforms)):
        source = present / name if (present / name).is_file() else SHIPPED_CONFIG / name
        shutil.copyfile(source, place.config_folder / name)
    return place


def _shares(products: int, platforms: Sequence[str] = _PRACTICE) -> list[tuple[str, int]]:
    share, rest = divmod(products, len(platforms))
    return [(name, share + (number < rest)) for number, name in enumerate(platforms)]


def _write_catalogue(file: Path, platform: str, shop: StorefrontProcess, count: int) -> dict[tuple[str, str], Any]:
    from pagemill.demo.catalogue import generate, write_catalogue_csv
    from pagemill.demo.shops.addresses import SHOPS, shop_url
    from pagemill.demo.shops.catalogue import generate_shop, write_shop_csv

    rows: list[Any]
    if platform in SHOPS:
        rows = list(generate_shop(platform, shop_url(platform, shop.port), count))
        write_shop_csv(file, rows)
    else:
        rows = list(generate(platform, shop.base_url, count))
        write_catalogue_csv(file, rows)
    return {(platform, row.product.id): row for row in rows}


def _refuse_bad_row(row: object) -> None:
    raise AssertionError(f"the practice catalogue has a bad row: {row}")


@contextmanager
def _worker(place: _Surroundings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_")}
    environment |= {
        "PAGEMILL_CONFIG": str(place.config_folder),
        "PAGEMILL_LOG_FORMAT": "json",
    }
    if chromium := os.environ.get("PAGEMILL_CHROMIUM"):
        environment["PAGEMILL_CHROMIUM"] = chromium
    command = [sys.executable, "-m", "pagemill", "worker"]
    for platform in place.platforms:
        command += ["--platform", platform]
    with place.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=place.folder, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _raise_if_ended(process: subprocess.Popen[bytes], place: _Surroundings) -> None:
    if process.poll() is not None:
        last_words = place.log.read_text(errors="replace").strip().splitlines()[-3:]
        kind = ServiceUnavailable if process.returncode == ServiceUnavailable.exit_code else PagemillError
        raise kind("the worker ended too early; its last words:\n" + "\n".join(last_words))


def _report(console: Console, store: ResultStore, runs: list[str], right: dict[tuple[str, str], Any]) -> int:
    """Prints the verdicts; returns how many are wrong or missing."""
    counts: Counter[tuple[str, str]] = Counter()
    wrong: Counter[str] = Counter()
    unseen = dict(right)
    for run in runs:
        for result in store.read(run):
            counts[result.platform, result.verdict.value] += 1
            row = unseen.pop((result.platform, result.product_id), None)
            mistakes = ("not in the catalogue",) if row is None else row.mistakes(result.verdict, result.facts)
            if mistakes:
                wrong[result.platform] += 1
                said = f"{result.verdict.value} ({result.reason})"
                console.print(f"WRONG {result.product_id}: {said}: {'; '.join(mistakes)}", markup=False)
    for platform, _product in unseen:
        wrong[platform] += 1
    table = Table(title="Verdicts", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("platform", *(verdict.value for verdict in Verdict), "wrong"):
        table.add_column(column, justify="left" if column == "platform" else "right")
    for platform in sorted({platform for platform, _product in right}):
        numbers = [str(counts[platform, verdict.value] or "") for verdict in Verdict]
        table.add_row(platform, *numbers, str(wrong[platform]))
    console.print(table)
    return wrong.total()


def _report_worker(console: Console, place: _Surroundings, products: int, seconds: float) -> None:
    stopped = _last_event(place.log, events.WORKER_STOPPED)
    rotations = ", ".join(f"{count} {level}" for level, count in stopped.get("rotations", {}).items() if count)
    console.print(
        f"{products} products in {seconds:.1f} s: {products / seconds:.1f} products/s, browser start included"
    )
    console.print(f"rotations: {rotations or 'none'}; peak memory {stopped.get('peak_pss_mb', 0):.0f} MB (PSS)")


def _last_event(log: Path, event: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with log.open(errors="replace") as lines:
        for line in lines:
            if event in line:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if record.get("event") == event:
                    found = record
    return found
