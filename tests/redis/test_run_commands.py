"""`pagemill runs`, `cancel` and `enqueue --again` on a real Redis and a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from pagemill.intake.batch_job import from_arguments, open_queue
from pagemill.model import Product, Verdict
from pagemill.results.asked_batches import AskedBatches
from tests.redis.test_queue_commands import ROWS, enqueue, place, store_in
from tests.unit.cli.command import Said, run
from tests.unit.results.result_values import make_result

__all__ = ["place"]

pytestmark = pytest.mark.redis


def command(place: Path, server: str, *words: str) -> Said:
    """Runs it there."""
    return run(place, *words, PAGEMILL_REDIS_URL=server, COLUMNS="200")


def a_run(place: Path, server: str) -> str:
    """Three products in two batches; the first one failed, the second is fine, the third has no result."""
    assert enqueue(place, server, ROWS, "--batch-size", "2").code == 0
    with store_in(place) as store:
        (summary,) = store.runs()
        store.write([make_result("A1", run=summary.run, verdict=Verdict.FAILED), make_result("A2", run=summary.run)])
        AskedBatches(store).done(summary.run, "b00001")
    return summary.run


def queued(client: redis.Redis) -> list[tuple[str, tuple[Product, ...]]]:
    """What waits: run and products of each batch."""
    batches = [from_arguments(*job.args) for job in open_queue(client, "shop").get_jobs()]
    return [(batch.run, batch.products) for batch in batches]


def test_runs_are_listed_with_what_they_lack(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """The newest first."""
    older = a_run(place, redis_server)
    command(place, redis_server, "cancel", older)
    assert enqueue(place, redis_server, ROWS, "--limit", "2").code == 0
    said = command(place, redis_server, "runs")
    assert said.code == 0, said.err
    lines = [
        [cell.strip() for cell in line.strip("│ ").split("│")] for line in said.out.splitlines() if "c.csv" in line
    ]
    assert [line[3:7] for line in lines] == [["2", "0", "2", "at work"], ["3", "2", "1", "cancelled"]]
    assert lines[1][0] == older
    assert lines[1][7] == "1 failed, 1 ok"
    assert command(place, redis_server, "runs", "--limit", "1").out.count("c.csv") == 1


def test_a_cancelled_run_is_taken_off_the_queue(place: Path, redis_server: str, redis_client: redis.Redis) -> None:
    """What is done stays; a second time there is nothing left to do."""
    name = a_run(place, redis_server)
    queue = open_queue(redis_client, "shop")
    queue.remove(f"{name}_b00001")
    said = command(place, redis_server, "cancel", name)
    assert said.code == 0, said.err
    assert said.out == (
        f"run {name} is cancelled: 1 batch taken off the queue, 0 stopped at work; 1 product without a result\n"
    )
    assert queue.count == 0
    assert redis_client.exists(f"rq:job:{name}_b00002") == 0
    with store_in(place) as store:
        assert store.is_cancelled(name)
        assert store.progress(name).finished
        assert len(list(store.read(name))) == 2
    assert "0 batches taken off" in command(place, redis_server, "cancel", name).out


def test_a_run_that_is_not_there_cannot_be_cancelled(place: Path, redis_server: str) -> None:
    """The remedy is named."""
    said = command(place, redis_server, "cancel", "run-7")
    assert (said.code, "there is no run run-7: pagemill runs lists them" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "again"),
    [
        ([], ["A1", "A3"]),
        (["--missing"], ["A3"]),
        (["--verdict", "ok"], ["A2"]),
        (["--verdict", "ok,failed"], ["A2", "A1"]),
        (["--verdict", "failed", "--missing"], ["A1", "A3"]),
        (["--limit", "1"], ["A1"]),
    ],
)
def test_what_a_run_did_not_find_out_is_asked_again(
    place: Path, redis_server: str, redis_client: redis.Redis, options: list[str], again: list[str]
) -> None:
    """As a run of its own, with what the catalogue expected."""
    name = a_run(place, redis_server)
    command(place, redis_server, "cancel", name)
    open_queue(redis_client, "shop").empty()  # type: ignore[no-untyped-call]
    said = command(place, redis_server, "enqueue", "--again", name, *options)
    assert said.code == 0, said.err
    [(new, products)] = queued(redis_client)
    assert new != name
    assert [product.id for product in products] == again
    for product in products:
        assert product.expected == ({} if product.id == "A3" else {"name": "셔츠", "price": 12900})
    with store_in(place) as store:
        assert (store.runs()[0].source, store.runs()[0].platform) == (f"again {name}", "shop")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["enqueue"], "name a FILE, or a run with --again RUN"),
        (["enqueue", "c.csv", "--again", "x", "--platform", "shop"], "name a FILE, or a run with --again RUN"),
        (["enqueue", "c.csv", "--missing", "--platform", "shop"], "--verdict and --missing go with --again RUN"),
        (["enqueue", "c.csv"], "name the platform: --platform NAME"),
        (["enqueue", "--again", "run-7"], "there is no run run-7"),
        (["enqueue", "--again", "RUN", "--verdict", "fine"], "no verdict fine: known are ok, changed"),
        (["enqueue", "--again", "RUN", "--platform", "other"], "is of shop: leave --platform other out"),
        (["enqueue", "--again", "RUN", "--verdict", "gone"], "holds no product"),
    ],
)
def test_what_does_not_go_together_is_told(place: Path, redis_server: str, words: list[str], told: str) -> None:
    """With what to do instead."""
    name = a_run(place, redis_server)
    said = command(place, redis_server, *(name if word == "RUN" else word for word in words))
    assert said.code == 2
    assert told in said.err
