"""Runs that cannot end by themselves, on a real Redis and a real database: told, waited for, cancelled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
import redis

import pagemill
from pagemill.app import wait_for_run
from pagemill.config.alerts import AlertRules
from pagemill.fleet.snapshot import WorkerSnapshot, publish
from pagemill.fleet.stranded_runs import Cause, Stranded, read_stranded
from pagemill.intake.batch_job import open_queue
from pagemill.intake.queued_batches import count_of
from pagemill.model import Batch, Product
from pagemill.results.asked_batches import NOTHING, AskedBatches, Reached
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.redis.commands import Office, eventually
from tests.redis.control_room.api_world import a_config, api_running
from tests.redis.test_queue_commands import ROWS, enqueue, place, store_in
from tests.unit.cli.command import run
from tests.unit.results.result_values import make_result

__all__ = ["place"]

pytestmark = [pytest.mark.redis, pytest.mark.timeout(120)]

WORKER = WorkerSnapshot("w1", 1, "machine", ("shop",), 1, 4, 100.0, 120.0, 7)


def a_run(place: Path, server: str) -> str:
    """Three products in two batches."""
    assert enqueue(place, server, ROWS, "--batch-size", "2").code == 0
    with store_in(place) as store:
        return store.runs()[0].run


def forget_platform(place: Path) -> None:
    """Its file goes; the configuration stays whole."""
    shop = place / "config" / "platforms" / "shop.yaml"
    (shop.parent / "other.yaml").write_text(shop.read_text().replace("shop", "other", 1))
    shop.unlink()


def stranded(place: Path, client: redis.Redis, *known: str) -> list[Stranded]:
    with store_in(place) as store:
        return read_stranded(client, store, lambda: known)


def test_what_is_left_of_a_run_decides(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """Not what is done, and nothing of a run that was cancelled."""
    name = a_run(place, redis_server)
    assert stranded(place, redis_client, "shop") == [Stranded(name, "shop", 2, Cause.UNSERVED)]
    assert stranded(place, redis_client) == [Stranded(name, "shop", 2, Cause.FORGOTTEN)]
    publish(redis_client, WORKER)
    assert stranded(place, redis_client, "shop") == []
    open_queue(redis_client, "shop").pop_job_id()
    assert stranded(place, redis_client, "shop") == [Stranded(name, "shop", 1, Cause.LOST)]
    with store_in(place) as store:
        AskedBatches(store).done(name, "b00001")
    assert stranded(place, redis_client, "shop") == []
    redis_client.flushall()
    assert stranded(place, redis_client) == [Stranded(name, "shop", 1, Cause.FORGOTTEN)]
    assert run(place, "cancel", name, PAGEMILL_REDIS_URL=redis_server).code == 0
    assert stranded(place, redis_client) == []


def test_batches_that_end_while_it_looks_are_not_lost(
    place: Path, redis_server: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was asked before them, Redis after them."""
    name = a_run(place, redis_server)
    publish(redis_client, WORKER)
    with store_in(place) as store:

        def count(client: redis.Redis, platform: str) -> int:
            AskedBatches(store).done(name, "b00001")
            open_queue(client, platform).pop_job_id()
            return count_of(client, platform)

        monkeypatch.setattr("pagemill.fleet.stranded_runs.count_of", count)
        assert read_stranded(redis_client, store, tuple) == []


def test_status_tells_it_and_a_platform_that_is_gone_can_be_cancelled(
    place: Path, redis_server: str, redis_client: redis.Redis
) -> None:
    """With the run, the platform, how many batches, and the remedy; afterwards nothing is left to tell."""
    name = a_run(place, redis_server)
    forget_platform(place)
    said = run(place, "status", PAGEMILL_REDIS_URL=redis_server, COLUMNS="250")
    assert said.code == 0, said.err
    told = said.out.partition("cannot end by themselves")[2].partition("Last runs")[0]
    rows = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in told.splitlines() if "│" in line]
    assert [row[:3] for row in rows if row[0] == name] == [[name, "shop", "2"]]
    assert "config/platforms/shop.yaml" in told
    assert f"pagemill cancel {name}" in told
    cancelled = run(place, "cancel", name, PAGEMILL_REDIS_URL=redis_server)
    assert cancelled.code == 0, cancelled.err
    assert "2 batches taken off the queue" in cancelled.out
    assert count_of(redis_client, "shop") == 0
    said = run(place, "status", PAGEMILL_REDIS_URL=redis_server, COLUMNS="250")
    assert "cannot end" not in said.out


def test_status_of_a_healthy_run_says_nothing_of_it(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    a_run(place, redis_server)
    publish(redis_client, WORKER)
    assert "cannot end" not in run(place, "status", PAGEMILL_REDIS_URL=redis_server, COLUMNS="250").out


@contextmanager
def finishing(place: Path, after: Event) -> Iterator[None]:
    """Gives every product of the newest run its result, once that is set."""

    def finish() -> None:
        assert after.wait(60)
        with store_in(place) as store:
            eventually(store.runs, 60, "a run")
            name = store.runs()[0].run
            store.write([make_result(f"A{number}", run=name) for number in (1, 2, 3)])

    thread = Thread(target=finish)
    thread.start()
    yield
    thread.join()


def test_a_wait_tells_at_once_and_goes_on(
    place: Path, redis_server: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may still come."""
    told = Event()
    tell = StrandedTeller(told)
    monkeypatch.setattr("pagemill.cli.enqueue._tell", tell)
    with finishing(place, told):
        said = enqueue(place, redis_server, ROWS, "--wait")
    assert said.code == 0, said.err
    [sentence] = tell.sentences
    assert "no worker takes its batches; start one: pagemill worker --platform shop" in sentence


class StrandedTeller:
    """Keeps what is told."""

    def __init__(self, told: Event) -> None:
        self._told = told
        self.sentences: list[str] = []

    def __call__(self, _console: object, text: str) -> None:
        self.sentences.append(text)
        self._told.set()


def test_a_wait_for_a_platform_that_is_gone_ends_with_78(
    place: Path, redis_server: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When that has lasted; before, it was told what to do."""
    monkeypatch.setattr(wait_for_run, "_LOOK_S", 0.1)
    monkeypatch.setattr(wait_for_run, "_PATIENCE_S", 1.0)
    tell = StrandedTeller(Event())

    def forget_and_tell(console: object, text: str) -> None:
        tell(console, text)
        if (place / "config" / "platforms" / "shop.yaml").exists():
            forget_platform(place)

    monkeypatch.setattr("pagemill.cli.enqueue._tell", forget_and_tell)
    said = enqueue(place, redis_server, ROWS, "--wait")
    assert said.code == 78
    assert "cannot end: no worker takes its batches, and its platform is not configured" in said.err
    assert [("start one" in each, "pagemill cancel" in each) for each in tell.sentences] == [
        (True, False),
        (False, True),
    ]


def test_a_program_of_ones_own_is_told(
    place: Path, redis_server: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a Python warning, or by what it hands over; and by `RunStranded` in the end."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("PAGEMILL_REDIS_URL", redis_server)
    monkeypatch.setattr(wait_for_run, "_LOOK_S", 0.1)
    monkeypatch.setattr(wait_for_run, "_PATIENCE_S", 1.0)
    with pagemill.connect() as mill:
        name = mill.enqueue([{"id": "P1", "url": "https://www.shop.com/1"}], "shop")
        with pytest.warns(UserWarning, match="start one"), pytest.raises(pagemill.PagemillError, match="took longer"):
            mill.wait(name, timeout_s=0.6)
        forget_platform(place)
        told: list[str] = []
        began_s = time.monotonic()
        with pytest.raises(pagemill.RunStranded, match=f"run {name} cannot end"):
            mill.wait(name, on_stranded=told.append)
        assert time.monotonic() - began_s >= 1.0
        assert len(told) == 1


def test_the_api_tells_it(redis_server: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    """By an alert that names the platform, and by a metric, also of a platform that is not configured."""
    rule = {"metric": "stranded_batches", "threshold": 0, "level": "critical"}
    config = a_config().model_copy(update={"alerts": AlertRules.model_validate({"rules": {"run-stranded": rule}})})
    with ResultStore(f"sqlite:///{tmp_path / 'results.db'}") as store:
        store.create_run("run-9", "gone", "c.csv")
        batch = Batch("run-9", "b00001", "gone", (Product("A1", "https://gone.test/1"),))
        AskedBatches(store).note([batch], NOTHING, Reached(1, 1, "A1"))
        store.seal_run("run-9", 1, 1, 0)
    with api_running(redis_server, tmp_path, config=config) as world:
        eventually(lambda: world.admin.get("/api/performance/alerts").data["alerts"], 30, "an alert")
        [alert] = world.admin.get("/api/performance/alerts").data["alerts"]
        metrics = world.admin.get("/metrics").text
    assert "(platform gone): 1" in alert["message"]
    assert 'pagemill_platform_stranded_batches{platform="gone"} 1.0' in metrics
    assert 'pagemill_platform_stranded_batches{platform="ably"} 0.0' in metrics


def test_the_api_tells_a_run_whose_enqueueing_broke_off(
    redis_server: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """By an alert and a metric, and to whoever asks for the run: how it stands, and when it has ended."""
    rule = {"metric": "broken_off_runs", "threshold": 0, "level": "critical"}
    config = a_config().model_copy(update={"alerts": AlertRules.model_validate({"rules": {"run-broken-off": rule}})})
    with ResultStore(f"sqlite:///{tmp_path / 'results.db'}") as store:
        store.create_run("run-9", "ably", "c.csv")
        batch = Batch("run-9", "b00001", "ably", (Product("A1", "https://ably.test/1"),))
        AskedBatches(store).note([batch], NOTHING, Reached(1, 1, "A1"))
        signs = SignsOfLife(store)
        signs.break_off(signs.enqueueing()[0])
        with api_running(redis_server, tmp_path, config=config) as world:
            eventually(lambda: world.admin.get("/api/performance/alerts").data["alerts"], 30, "an alert")
            [alert] = world.admin.get("/api/performance/alerts").data["alerts"]
            metrics = world.admin.get("/metrics").text
            at_work = world.admin.get("/api/v1/runs/run-9").data
            store.write([make_result("A1", run="run-9")])
            ended = world.admin.get("/api/v1/runs/run-9").data
    assert "(platform ably): 1" in alert["message"]
    assert 'pagemill_platform_broken_off_runs{platform="ably"} 1.0' in metrics
    assert (at_work["state"], at_work["products"], at_work["missing"]) == ("at_work", 1, 1)
    assert (ended["state"], ended["missing"]) == ("incomplete", 0)
    assert at_work["broken_off_at"] == ended["broken_off_at"] is not None


def test_a_scheduler_alone_looks_after_runs(redis_server: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    """What the emptied queue has lost comes back within a minute, and that no worker takes it is told."""
    office = Office(tmp_path, redis_server, redis_client)
    with office.running("scheduler", "scheduler") as process:
        office.reported(process)
        (tmp_path / "c.csv").write_text("id,url\n" + "".join(f"A{n},https://shop.test/{n}\n" for n in range(6)))
        words = ("enqueue", "c.csv", "--platform", "shop", "--batch-size", "2")
        assert run(tmp_path, *words, PAGEMILL_REDIS_URL=redis_server).code == 0
        redis_client.flushall()
        eventually(lambda: open_queue(redis_client, "shop").count == 3, 60, "the batches")
        eventually(lambda: office.events("scheduler", events.RUN_STRANDED), 60, "that it is told")
        process.terminate()
        assert process.wait(30) == 0
    assert [line["batches"] for line in office.events("scheduler", events.BATCHES_PUT_BACK)] == [3]
    [line] = office.events("scheduler", events.RUN_STRANDED)
    assert (line["platform"], line["batches"]) == ("shop", 3)
    assert "pagemill worker" in line["remedy"]
    assert redis_client.exists("pagemill:lost-batches") == 0  # another one need not wait until the lead runs out
