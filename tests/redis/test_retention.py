"""What is old goes when somebody asked for that, and never what the queue still knows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings, RetentionSettings
from pagemill.extraction.artifacts import ArtifactStore
from pagemill.intake.batch_job import open_queue
from pagemill.intake.cancel import cancel_run
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Product
from pagemill.results.asked_batches import AskedBatches
from pagemill.results.store import ResultStore
from pagemill.retention import DailyRetention, Retention
from pagemill.telemetry import events
from tests.unit.cli.command import Said, run
from tests.unit.results.old_runs_contract import NOW, add_run

pytestmark = pytest.mark.redis

SHOP: dict[str, Any] = {"platform": "shop", "hosts": ["www.shop.com"], "extract": {"fields": {"name": "h1"}}}
MONTH = RetentionSettings(runs_days=30, artifacts_days=7)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultStore]:
    with ResultStore(f"sqlite:///{tmp_path}/data/pagemill.db") as opened:
        yield opened


@pytest.fixture
def evidence(tmp_path: Path) -> ArtifactStore:
    """A folder with three files of ours, and one of somebody else's."""
    folder = tmp_path / "data" / "artifacts"
    folder.mkdir(parents=True)
    for name, days in {"old.jpg": 8, "old.html": 8, "new.jpg": 6, "old.txt": 100}.items():
        (folder / name).touch()
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder / name, (moment, moment))
    return ArtifactStore(folder, 200, 100_000_000)


@pytest.fixture
def retention(store: ResultStore, redis_client: redis.Redis, evidence: ArtifactStore) -> Retention:
    return Retention(store, redis_client, evidence, MONTH, now=lambda: NOW)


def queue_run(client: redis.Redis, store: ResultStore, name: str) -> None:
    """An old run with one batch of two products on the queue."""
    add_run(store, name, 40)
    products = [Product(f"P{number}", f"https://www.shop.com/{number}") for number in range(2)]
    enqueue_run(
        products,
        Platform.model_validate(SHOP),
        source="x.csv",
        batch_size=2,
        settings=QueueSettings(),
        redis=client,
        store=store,
        run=name,
    )


def waits(client: redis.Redis, job: Job) -> None:
    """It is on the queue already."""


def is_taken(client: redis.Redis, job: Job) -> None:
    """By a worker that has not begun."""
    queue = open_queue(client, "shop")
    client.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")


def is_at_work(client: redis.Redis, job: Job) -> None:
    """A worker has it in hand."""
    client.lpop(open_queue(client, "shop").key)
    with client.pipeline() as pipeline:
        Execution.create(job, ttl=60, pipeline=pipeline)
        pipeline.execute()


def waits_for_a_retry(client: redis.Redis, job: Job) -> None:
    """It is put off."""
    queue = open_queue(client, "shop")
    client.lpop(queue.key)
    queue.scheduled_job_registry.schedule(job, NOW + timedelta(days=3650))


def is_lost(client: redis.Redis, job: Job) -> None:
    """It comes back within a minute, or waits for its platform to be configured again."""
    client.flushall()


@pytest.mark.parametrize("asked", [True, False], ids=["as-now", "as-in-0.1"])
@pytest.mark.parametrize(
    ("happens", "stays"),
    [(waits, True), (is_taken, True), (is_at_work, True), (waits_for_a_retry, True), (is_lost, True)],
)
def test_a_run_that_still_works_stays(
    redis_client: redis.Redis,
    store: ResultStore,
    retention: Retention,
    happens: Callable[[redis.Redis, Job], None],
    stays: bool,
    asked: bool,
) -> None:
    """However long nothing has happened: its batch may wait for a shop that is paused for weeks. In 0.1 the queue alone
    knew what was asked for."""
    queue_run(redis_client, store, "waiting")
    add_run(store, "done", 40, 40, products=1)
    add_run(store, "waiting-2", 40)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET sealed_at = created_at")
    job = Job.fetch("waiting_b00001", connection=redis_client, serializer=JSONSerializer)
    happens(redis_client, job)
    if not asked:
        stays = stays and happens is not is_lost
        with store.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE runs SET asked_batches = NULL")
            connection.exec_driver_sql("DELETE FROM batches")

    assert retention.remove_runs() == (2 if stays else 3, 1)

    assert [each.run for each in store.runs()] == (["waiting"] if stays else [])


@pytest.mark.parametrize(("ended", "kept"), [("done", 0), ("cancelled", 0), ("", 1)])
def test_a_run_goes_when_nothing_more_is_to_come(
    redis_client: redis.Redis, store: ResultStore, retention: Retention, ended: str, kept: int
) -> None:
    """With what was asked for: its batches are done, or it was cancelled."""
    queue_run(redis_client, store, "old")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET sealed_at = created_at")
    if ended == "done":
        AskedBatches(store).done("old", "b00001")
    if ended == "cancelled":
        cancel_run("old", redis_client, store)

    assert retention.remove_runs() == (1 - kept, 0)

    assert (len(store.runs()), len(list(AskedBatches(store).outstanding("old")))) == (kept, kept)


def test_only_evidence_that_is_old_and_ours_goes(retention: Retention, tmp_path: Path) -> None:
    """By when it was written."""
    assert retention.remove_files() == 2
    assert sorted(path.name for path in (tmp_path / "data" / "artifacts").iterdir()) == ["new.jpg", "old.txt"]


def daily(
    client: redis.Redis, store: ResultStore, evidence: ArtifactStore, settings: RetentionSettings = MONTH
) -> DailyRetention:
    return DailyRetention(store, client, evidence, settings, look_s=0.01, now=lambda: NOW)


def test_one_process_of_the_fleet_removes_runs_once_a_day(
    redis_client: redis.Redis, store: ResultStore, evidence: ArtifactStore
) -> None:
    """It is told, and the next look of whoever it is finds that it was done today."""
    add_run(store, "old", 40, 40, products=1)
    one, other = daily(redis_client, store, evidence), daily(redis_client, store, evidence)
    with capture_logs() as lines:
        one.look()
        add_run(store, "old-too", 40, 40, products=1)
        one.look()
        other.look()

    assert [(line["event"], line["runs"], line["results"], line["files"]) for line in lines] == [
        (events.PRUNED, 1, 1, 2)
    ]
    assert [each.run for each in store.runs()] == ["old-too"]
    assert 0 < redis_client.ttl("pagemill:retention") <= 24 * 3600


def test_the_thread_does_it_and_ends(redis_client: redis.Redis, store: ResultStore, evidence: ArtifactStore) -> None:
    """In the time between two looks."""
    add_run(store, "old", 40, 40, products=1)
    with daily(redis_client, store, evidence):
        while store.runs():
            pass
    assert "retention" not in {thread.name for thread in threading.enumerate()}


def test_without_days_nothing_is_ever_removed(
    redis_client: redis.Redis, store: ResultStore, evidence: ArtifactStore
) -> None:
    """Nobody loses data unasked: there is not even a thread."""
    add_run(store, "old", 4000, 4000, products=1)
    with daily(redis_client, store, evidence, RetentionSettings()) as idle:
        assert "retention" not in {thread.name for thread in threading.enumerate()}
        idle.look()
    assert len(store.runs()) == 1
    assert len(evidence.older_than(NOW)) == 3


def test_what_goes_wrong_is_told_and_tried_again(
    redis_client: redis.Redis, store: ResultStore, evidence: ArtifactStore
) -> None:
    """A database that is away takes the day from nobody."""
    add_run(store, "old", 40, 40, products=1)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE runs RENAME TO elsewhere")
    one = daily(redis_client, store, evidence)
    with capture_logs() as lines:
        one.look()
    assert [(line["event"], line.get("what")) for line in lines] == [
        (events.PRUNE_FAILED, "runs"),
        (events.PRUNED, None),
    ]
    with store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO runs")
    one.look()
    assert store.runs() == []


@pytest.fixture
def place(tmp_path: Path, store: ResultStore, evidence: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, a run that is old by any clock, and evidence."""
    (tmp_path / "config" / "platforms").mkdir(parents=True)
    (tmp_path / "config" / "platforms" / "shop.yaml").write_text(yaml.safe_dump(SHOP))
    add_run(store, "old", 4000, 4000, 3999, products=2)
    return tmp_path


@pytest.fixture
def prune(place: Path, redis_server: str, redis_client: redis.Redis) -> Callable[..., Said]:
    """The command."""
    return lambda *arguments: run(place, "prune", *arguments, PAGEMILL_REDIS_URL=redis_server)


def test_the_command_shows_before_it_removes(prune: Callable[..., Said], place: Path, store: ResultStore) -> None:
    """Only --yes removes anything."""
    said = prune("--days", "30")
    assert (said.code, said.err) == (0, "")
    assert "old " in said.out
    assert said.out.splitlines()[-1].startswith("1 run with 2 results, ")
    assert said.out.splitlines()[-1].endswith("nothing is removed yet, --yes does it")
    assert len(store.runs()) == 1

    said = prune("--days", "30", "--yes")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("1 run with 2 results, ")
    assert said.out.strip().endswith(": removed")
    assert store.runs() == []
    assert prune("--days", "30").out.startswith("0 runs with 0 results, ")


def test_the_command_goes_by_the_settings(prune: Callable[..., Said], place: Path, store: ResultStore) -> None:
    """And says what is missing where they keep everything."""
    said = prune("--yes")
    assert said.code == 2
    assert "--days" in said.err
    assert "retention.runs_days" in said.err
    (place / "config" / "pagemill.yaml").write_text("retention: {runs_days: 30}\n")
    assert prune("--yes").out.startswith("1 run with 2 results, 0 files")
    assert store.runs() == []
    assert (place / "data" / "artifacts" / "old.jpg").exists()
