"""`pagemill enqueue` and `pagemill status` on a real Redis."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import redis
import typer

from pagemill.cli import progress
from pagemill.fleet.snapshot import WorkerSnapshot, publish
from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.model import Verdict
from pagemill.results.store import ResultStore
from tests.unit.cli.command import Said, run
from tests.unit.results.result_values import make_result

pytestmark = pytest.mark.redis

SHOP = "platform: shop\nhosts: [www.shop.com]\nextract: {fields: {name: h1}}\n"
ROWS = ["A1,https://www.shop.com/1", "A2,https://www.shop.com/2", "A3,https://www.shop.com/3"]
BAD_ROW = "A4,https://www.elsewhere.com/4"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with one platform."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(SHOP)
    return tmp_path


def store_in(place: Path) -> ResultStore:
    """The database that commands in that folder use."""
    return ResultStore(f"sqlite:///{place / 'data' / 'pagemill.db'}")


def enqueue(place: Path, server: str, rows: list[str], *options: str) -> Said:
    """Writes a catalogue of these rows and enqueues it."""
    (place / "c.csv").write_text("\n".join(["id,url", *rows]) + "\n")
    return run(place, "enqueue", "c.csv", "--platform", "shop", *options, PAGEMILL_REDIS_URL=server, COLUMNS="200")


def test_a_catalogue_becomes_a_run_of_batches(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """Bad rows are named and counted, the others are queued, and the run's id is on standard output."""
    said = enqueue(place, redis_server, [*ROWS, BAD_ROW], "--batch-size", "2")
    assert said.code == 0, said.err
    assert "line 5" in said.err
    with store_in(place) as store:
        (summary,) = store.runs()
    assert said.out == f"run {summary.run}: 3 products in 2 batches, 1 bad row skipped\n"
    assert (summary.products, summary.batches, summary.skipped) == (3, 2, 1)
    batches = [from_arguments(*job.args) for job in open_queue(redis_client, "shop").get_jobs()]
    assert [[product.id for product in batch.products] for batch in batches] == [["A1", "A2"], ["A3"]]


def test_a_strict_call_with_a_bad_row_puts_nothing_on_the_queue(
    place: Path, redis_server: str, redis_client: redis.Redis
) -> None:
    """No batch of the good rows before it, and no run that would never end."""
    said = enqueue(place, redis_server, [*ROWS, BAD_ROW], "--strict", "--batch-size", "1")
    assert said.code == 2
    assert "line 5" in said.err
    assert redis_client.dbsize() == 0
    with store_in(place) as store:
        assert store.runs() == []


def test_a_strict_call_queues_a_clean_file_whole(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """Although it is read twice, each product is queued once."""
    said = enqueue(place, redis_server, ROWS, "--strict", "--batch-size", "1")
    assert said.code == 0, said.err
    assert open_queue(redis_client, "shop").count == 3


def test_a_file_without_one_good_row_leaves_no_run(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """It is a mistake of the call, and the rows are named."""
    said = enqueue(place, redis_server, [BAD_ROW])
    assert said.code == 2
    assert "line 2" in said.err
    assert redis_client.dbsize() == 0
    with store_in(place) as store:
        assert store.runs() == []


@pytest.mark.parametrize(
    ("last", "code", "told"), [(Verdict.GONE, 0, "1 gone, 2 ok"), (Verdict.FAILED, 1, "1 failed, 2 ok")]
)
def test_waiting_ends_with_the_run_and_tells_its_verdicts(
    place: Path,
    redis_server: str,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    last: Verdict,
    code: int,
    told: str,
) -> None:
    """0 when every product could be judged, 1 when one failed."""
    monkeypatch.setattr(progress, "_POLL_S", 0.01)
    queued = threading.Event()
    told_once = typer.echo

    def echo(message: str, err: bool = False) -> None:
        told_once(message, err=err)
        queued.set()

    monkeypatch.setattr(typer, "echo", echo)

    def work() -> None:
        assert queued.wait(20)
        with store_in(place) as store:
            (summary,) = store.runs()
            store.write([make_result(product, run=summary.run) for product in ("A1", "A2")])
            store.write([make_result("A3", run=summary.run, verdict=last)])

    worker = threading.Thread(target=work, name="stand-in worker")
    worker.start()
    try:
        said = enqueue(place, redis_server, ROWS, "--wait")
    finally:
        queued.set()
        worker.join(20)
    assert said.code == code, said.err
    assert said.out.splitlines()[-1] == told


def test_status_shows_queues_workers_and_runs(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """One look: what waits, who works, and how far the last runs are."""
    enqueue(place, redis_server, ROWS, "--batch-size", "1")
    with store_in(place) as store:
        (summary,) = store.runs()
        store.write([make_result("A1", run=summary.run)])
    publish(
        redis_client,
        WorkerSnapshot("machine-1", 1, "machine", ("shop",), 3, 4, 540.4, 612.0, 120, {"page": 12, "context": 2}),
    )
    redis_client.hset("pagemill:revisits:shop", mapping={"hits": 3, "misses": 1})
    said = run(place, "status", PAGEMILL_REDIS_URL=redis_server, COLUMNS="200")
    assert said.code == 0, said.err
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.out.splitlines() if "│" in line]
    assert ["shop", "3", "0", "0", "3 of 4 (75 %)", ""] in rows
    assert ["machine-1", "shop", "3/4", "540", "612", "normal", "120", "page 12 context 2"] in rows
    assert [summary.run, "shop", "1", "3", "0"] in rows


def test_status_without_a_worker_says_how_to_start_one(
    place: Path, redis_server: str, redis_client: redis.Redis
) -> None:
    """An empty table would leave a beginner alone."""
    said = run(place, "status", PAGEMILL_REDIS_URL=redis_server, COLUMNS="200")
    assert said.code == 0, said.err
    assert "pagemill worker" in said.out
