"""`pagemill demo` with the practice shop and an embedded Redis; a stand-in for the worker hands the verdicts in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pagemill.cli import demo, progress
from pagemill.config.loading import load_config
from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.model import ItemResult, Verdict
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.unit.cli.command import Said, run
from tests.unit.results.result_values import make_result

pytestmark = [pytest.mark.redis, pytest.mark.usefixtures("redis_server")]

SHIPPED = Path(__file__).parents[2] / "config"
Judge = Callable[[CatalogueRow], Verdict]


def right(row: CatalogueRow) -> Verdict:
    """A verdict that is right for this product."""
    return next(verdict for verdict in Verdict if row.accepts(verdict))


def wrong(row: CatalogueRow) -> Verdict:
    """A verdict that is not."""
    return next(verdict for verdict in Verdict if not row.accepts(verdict))


def demo_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, judge: Judge, *options: str, config: Path | None = SHIPPED
) -> Said:
    """Runs the demo with a worker that judges at once; its process sleeps until it is stopped."""
    shares = dict(demo._shares(9))

    @contextmanager
    def worker(place: Any) -> Iterator[subprocess.Popen[bytes]]:
        stopped = '{"event": "%s", "rotations": {"page": 3, "browser": 0}, "peak_pss_mb": 412.4}'
        place.log.write_text("not JSON\n" + stopped % events.WORKER_STOPPED + "\n")
        with ResultStore(place.database_url) as store:
            for summary in store.runs():
                rows = generate(summary.platform, "http://127.0.0.1:1", shares[summary.platform])
                store.write([result(row, summary.run, summary.platform, judge(row)) for row in rows])
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
            try:
                yield process
            finally:
                process.kill()

    monkeypatch.setattr(demo, "_worker", worker)
    monkeypatch.setattr(progress, "_POLL_S", 0.01)
    named = {} if config is None else {"PAGEMILL_CONFIG": str(config)}
    return run(folder, "demo", "--products", "9", *options, **named, COLUMNS="200")


def result(row: CatalogueRow, run_id: str, platform: str, verdict: Verdict) -> ItemResult:
    """What the worker found."""
    made = make_result(row.product.id, run=run_id, verdict=verdict)
    return ItemResult(**{name: getattr(made, name) for name in made.__slots__} | {"platform": platform})


def test_the_demo_ends_with_0_when_every_verdict_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows the verdicts, the pace, rotations and memory, and leaves nothing behind."""
    said = demo_with(tmp_path, monkeypatch, right)
    assert said.code == 0, said.out + said.err
    assert "WRONG" not in said.out
    assert "9 products in" in said.out
    assert "rotations: 3 page; peak memory 412 MB" in said.out
    assert list(tmp_path.iterdir()) == []


def test_one_wrong_verdict_ends_the_demo_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product is named with what was said of it."""
    seen: list[str] = []

    def first_is_wrong(row: CatalogueRow) -> Verdict:
        seen.append(row.product.id)
        return wrong(row) if len(seen) == 1 else right(row)

    said = demo_with(tmp_path, monkeypatch, first_is_wrong)
    assert said.code == 1
    assert said.out.count("WRONG") == 1
    assert f"WRONG {seen[0]}: " in said.out


def test_what_is_kept_is_kept_where_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Database, log and catalogues; the next demo begins afresh."""
    for _time in range(2):
        said = demo_with(tmp_path, monkeypatch, right, "--keep")
        assert said.code == 0, said.out + said.err
    folder = tmp_path / "data" / "demo"
    assert f"kept: {folder}" in said.out
    assert {"worker.log", "demo-api.csv", "demo-hydrated.csv", "demo-jsonld.csv"} <= {
        path.name for path in folder.iterdir()
    }
    with ResultStore(f"sqlite:///{folder / 'data' / 'pagemill.db'}") as store:
        assert len(store.runs()) == 3


def test_the_demo_needs_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with pagemill, wherever that is installed."""
    said = demo_with(tmp_path, monkeypatch, right, config=None)
    assert said.code == 0, said.out + said.err
    assert list(tmp_path.iterdir()) == []


def test_the_settings_of_ones_own_count_and_so_do_files_of_the_practice_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Platforms that are not the practice shop's are left out, and those that are not there are those of pagemill."""
    platforms = tmp_path / "config" / "platforms"
    platforms.mkdir(parents=True)
    (tmp_path / "config" / "pagemill.yaml").write_text("queue: {batch_size: 1}\n")
    (platforms / "shop.yaml").write_text("platform: shop\nhosts: [shop.test]\nextract: {fields: {name: h1}}\n")
    own = (SHIPPED / "platforms" / "demo-api.yaml").read_text().replace("timeout_ms: 10000", "timeout_ms: 9000")
    (platforms / "demo-api.yaml").write_text(own)
    said = demo_with(tmp_path, monkeypatch, right, "--keep", config=None)
    assert said.code == 0, said.out + said.err
    assert said.out.count("in 3 batches") == 3
    used = load_config(tmp_path / "data" / "demo" / "config", {}).platforms
    assert {name: each.navigation.timeout_ms for name, each in used.items()} == {
        "demo-api": 9000, "demo-hydrated": 10000, "demo-jsonld": 10000
    }  # fmt: skip


def test_a_mistake_in_ones_own_configuration_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the file's own name, and nothing is begun."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "pagemill.yaml").write_text("queue: {batch_size: many}\n")
    said = demo_with(tmp_path, monkeypatch, right, "--keep", config=None)
    assert said.code == 2
    assert "pagemill: config/pagemill.yaml:1: queue.batch_size" in said.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("worker_code", "code"), [(69, 69), (1, 1), (0, 1)])
def test_a_worker_that_ends_too_early_ends_the_demo_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker_code: int, code: int
) -> None:
    """Nobody waits for verdicts that will not come, and a browser out of reach ends the demo with 69 as well."""

    @contextmanager
    def worker(place: Any) -> Iterator[subprocess.Popen[bytes]]:
        place.log.write_text("first\nsecond\nthird\npagemill: no Chromium found\n")
        with subprocess.Popen([sys.executable, "-c", f"raise SystemExit({worker_code})"]) as process:
            process.wait(20)
            yield process

    monkeypatch.setattr(demo, "_worker", worker)
    said = run(tmp_path, "demo", "--products", "3", PAGEMILL_CONFIG=str(SHIPPED))
    assert said.code == code
    assert said.err.endswith("its last words:\nsecond\nthird\npagemill: no Chromium found\n")
