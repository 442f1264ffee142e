"""One run over several platforms: each product on its platform's queue, one result each, and every command knows it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from pagemill.cli import enqueue
from pagemill.errors import UsageError
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Batch, Product, Verdict
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore
from tests.redis.test_lost_batches import SETTINGS
from tests.redis.test_queue_commands import store_in
from tests.redis.test_run_commands import command
from tests.unit.cli.command import Said
from tests.unit.intake.test_catalog_by_host import PLATFORMS
from tests.unit.results.result_values import make_result

pytestmark = pytest.mark.redis

SHOP = "platform: {0}\nhosts: [{0}.test, both.test]\nextract: {{fields: {{name: h1}}}}\n"
ROWS = [
    "A1,https://a.test/1",
    "B1,https://b.test/1",
    "A2,https://a.test/2",
    "X1,https://x.test/1",
    "A3,https://a.test/3",
    "Y1,https://both.test/1",
    "B2,https://b.test/2",
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two platforms."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    for name in "ab":
        (tmp_path / "config" / "platforms" / f"{name}.yaml").write_text(SHOP.format(name))
    (tmp_path / "c.csv").write_text("\n".join(["id,url", *ROWS]) + "\n")
    return tmp_path


def auto(place: Path, server: str, *options: str) -> Said:
    """Enqueues the catalogue by the hosts of its URLs."""
    return command(place, server, "enqueue", "c.csv", "--platform", "auto", *options)


def batches(client: redis.Redis, platform: str) -> list[Batch]:
    """Those that wait on a platform's queue."""
    return [from_arguments(*job.args) for job in open_queue(client, platform).get_jobs()]


def ids(client: redis.Redis, platform: str) -> list[list[str]]:
    return [[product.id for product in batch.products] for batch in batches(client, platform)]


def test_each_row_goes_to_its_platform_in_one_run(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """Rows of no platform, or of two, are told with their lines and the remedy."""
    said = auto(place, redis_server, "--batch-size", "2")
    assert said.code == 0, said.err
    assert ids(redis_client, "a") == [["A1", "A2"], ["A3"]]
    assert ids(redis_client, "b") == [["B1", "B2"]]
    with store_in(place) as store:
        (run,) = store.runs()
        assert (run.platform, run.products, run.batches, run.skipped) == ("auto", 5, 3, 2)
        assert [[each.run for each in store.runs(platform=name)] for name in "abc"] == [[run.run], [run.run], []]
        assert {each.batch for each in AskedBatches(store).outstanding(run.run)} == {"b00001", "b00002", "b00003"}
    assert said.out == f"run {run.run}: 5 products in 3 batches, 2 bad rows skipped\na 3, b 2\n"
    assert {batch.run for name in "ab" for batch in batches(redis_client, name)} == {run.run}
    told = " ".join(said.err.split())
    assert "line 5: host x.test is not one of any platform's hosts: add it to those of its platform" in told
    assert "line 7: host both.test is one of the hosts of a and b: queue such rows" in told


def test_strict_and_limit_hold_for_it(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """As for any catalogue."""
    said = auto(place, redis_server, "--strict")
    assert (said.code, "2 bad rows, nothing was queued" in said.err) == (2, True)
    assert redis_client.dbsize() == 0
    assert auto(place, redis_server, "--limit", "2").code == 0
    assert (ids(redis_client, "a"), ids(redis_client, "b")) == ([["A1"]], [["B1"]])


def test_it_is_cancelled_and_asked_again(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """Each product by its own platform, as a run over several again."""
    assert auto(place, redis_server, "--batch-size", "2").code == 0
    with store_in(place) as store:
        (first,) = store.runs()
        name = first.run
        failed = replace(make_result("B1", run=name, verdict=Verdict.FAILED), platform="b", url="https://b.test/1")
        store.write([failed, replace(make_result("B2", run=name), platform="b")])
        done = next(each.batch for each in AskedBatches(store).outstanding(name) if each.platform == "b")
        AskedBatches(store).done(name, done)
        assert store.platforms_of(name) == ["a", "b"]
    open_queue(redis_client, "b").empty()  # type: ignore[no-untyped-call]
    said = command(place, redis_server, "cancel", name)
    assert "2 batches taken off" in said.out
    assert "3 products without a result" in said.out
    said = command(place, redis_server, "enqueue", "--again", name)
    assert said.code == 0, said.err
    assert (ids(redis_client, "a"), ids(redis_client, "b")) == ([["A1", "A2", "A3"]], [["B1"]])
    with store_in(place) as store:
        assert [(run.platform, run.source, run.products) for run in store.runs(1)] == [("auto", f"again {name}", 4)]


def test_a_platform_that_is_gone_is_told(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """Before anything is queued."""
    assert auto(place, redis_server).code == 0
    with store_in(place) as store:
        (run,) = store.runs()
    (place / "config" / "platforms" / "b.yaml").unlink()
    said = command(place, redis_server, "enqueue", "--again", run.run)
    assert (said.code, "no platform b: configured are a" in said.err) == (2, True)
    with store_in(place) as store:
        assert len(store.runs()) == 1


def test_waiting_tells_which_platforms_nobody_serves(
    place: Path, redis_server: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by its name; a run that nobody works on would be waited for without end."""

    class Enough(Exception):
        """The command got as far as waiting."""

    def one_look(_console: object, _store: object, _runs: object, look: Callable[[], None]) -> None:
        look()
        raise Enough

    monkeypatch.setattr(enqueue, "follow", one_look)
    told: list[str] = []
    monkeypatch.setattr("rich.console.Console.print", lambda _self, *words, **_how: told.extend(map(str, words)))
    with pytest.raises(Enough):
        auto(place, redis_server, "--wait")
    for platform in ("a", "b"):
        assert any(f"of {platform}): no worker takes its batches" in each for each in told), told


def test_a_product_of_an_unknown_platform_ends_the_enqueueing(redis_client: redis.Redis, tmp_path: Path) -> None:
    """Nothing is put where nobody looks."""
    with ResultStore(f"sqlite:///{tmp_path}/r.db") as store, pytest.raises(UsageError, match="P1 is of platform z"):
        enqueue_run(
            [Product("P1", "https://a.test/1", platform="z")],
            PLATFORMS,
            source="python",
            batch_size=5,
            settings=SETTINGS,
            redis=redis_client,
            store=store,
        )


def peak_mb(place: Path, server: str, rows: int) -> float:
    """What `pagemill enqueue` took at most, by the kernel's word, for a catalogue of that many rows."""
    with (place / "c.csv").open("w") as out:
        out.write("id,url\n")
        for number in range(rows):
            out.write(f"P{number:07},https://{'ab'[number % 2]}.test/{number}\n")
    environment = {**os.environ, "PAGEMILL_REDIS_URL": server, "COLUMNS": "200"}
    arguments = [sys.executable, "-m", "pagemill", "enqueue", "c.csv", "--platform", "auto", "--batch-size", "500"]
    child = subprocess.Popen(arguments, cwd=place, env=environment, stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss / 1024


def test_many_rows_take_no_more_memory_than_few(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """What is kept is a batch of each platform."""
    few = peak_mb(place, redis_server, 2_000)
    redis_client.flushall()
    assert peak_mb(place, redis_server, 40_000) - few < 20
