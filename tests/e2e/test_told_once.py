"""Two real control APIs tell ends of runs over a real webhook and a real mail server: each once, whatever dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from redis import Redis

from pagemill.alerting.history import STREAM, latest_cursor
from pagemill.demo.catalogue import CatalogueRow, generate
from pagemill.model import Difference, Verdict
from pagemill.results.asked_batches import AskedBatches
from tests.e2e.workplace import Workplace, eventually
from tests.redis.control_room.mail_server import Mailbox, free_port, mail_server
from tests.redis.control_room.webhook import Webhook, open_webhook
from tests.unit.results.result_values import make_result

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RUNS = 6
HANDED_IN = 2000
QUIET_S = 8.0
"""Longer than a round of whoever looks for ends."""


@contextmanager
def running(place: Workplace, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command in the background, with a log of that name."""
    with log_of(place, name).open("ab") as log:
        command = [sys.executable, "-m", "pagemill", *arguments]
        process = subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
        if process.poll() is None:
            process.kill()
            process.wait()


def log_of(place: Workplace, name: str) -> Path:
    return place.folder / f"{name}.log"


@contextmanager
def control_api(place: Workplace, number: int) -> Iterator[subprocess.Popen[bytes]]:
    """`pagemill api`; it answers when the block begins."""
    name = f"api-{number}"
    with running(place, name, "api", "--port", str(free_port())) as process:
        log_file = log_of(place, name)
        eventually(lambda: "the dashboard is at" in log_file.read_text(), 60, "the API", log_file.read_text)
        yield process


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """A workplace whose alerts go to a webhook and by mail."""
    place = Workplace(tmp_path)
    channels = {"hook": {"kind": "webhook"}, "mail": {"kind": "email"}}
    (place.config / "alerts.yaml").write_text(yaml.safe_dump({"rules": {}, "channels": channels}))
    return place


def tell_of(place: Workplace, hook: Webhook, mail_port: int) -> None:
    """Names the two addresses."""
    place.environment_changes["PAGEMILL_ALERT_URL_HOOK"] = hook.url
    address = f"mailto://127.0.0.1:{mail_port}?from=mill@example.com&to=duty@example.com"
    place.environment_changes["PAGEMILL_ALERT_URL_MAIL"] = address


def begin(place: Workplace) -> str:
    """A run of three products that wait; nobody works on them."""
    return place.enqueue("demo-hydrated", generate("demo-hydrated", "http://127.0.0.1:1", 3))


def finish(place: Workplace, run: str, verdict: Verdict, products: int = 3) -> None:
    """Results, as workers write them; the run has ended then."""
    differences = (Difference("price", 1, 2),) if verdict is Verdict.CHANGED else ()
    with place.store() as store:
        store.write([make_result(f"P{n}", run=run, verdict=verdict, differences=differences) for n in range(products)])
        AskedBatches(store).forget(run)


def runs_told(hook: Webhook) -> list[str]:
    with hook.changed:
        return sorted(body["scope"] for body in hook.bodies)


def nothing_in_hand(client: Redis) -> bool:
    """Whether everything that was raised has been told over both channels."""
    groups = client.xinfo_groups(STREAM) if client.exists(STREAM) else []
    newest = latest_cursor(client).encode()
    return len(groups) == 2 and all(each["pending"] == 0 and each["last-delivered-id"] == newest for each in groups)


def no_more_comes(hook: Webhook, box: Mailbox) -> None:
    """Whoever tells anything twice would do so within two rounds."""
    many = len(hook.bodies), len(box.mails)
    deadline_s = time.monotonic() + QUIET_S
    with hook.changed:
        assert not hook.changed.wait_for(lambda: len(hook.bodies) > many[0], QUIET_S)
    assert time.monotonic() >= deadline_s
    assert (len(hook.bodies), len(box.mails)) == many


def test_each_run_is_told_once_by_two_control_apis(place: Workplace) -> None:
    """Also while one of them is killed, and once it is back."""
    with open_webhook() as hook, mail_server() as (box, mail_port):
        tell_of(place, hook, mail_port)
        with place.redis() as client, control_api(place, 1) as first, control_api(place, 2):
            runs = [begin(place) for _ in range(RUNS)]
            for run in runs[: RUNS // 2]:
                finish(place, run, Verdict.CHANGED)
            hook.wait_for(RUNS // 2, 30)
            eventually(lambda: nothing_in_hand(client), 30, "the mails")
            for run in runs[RUNS // 2 :]:
                finish(place, run, Verdict.OK)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            hook.wait_for(RUNS, 90)
            box.wait_for(RUNS, 90)
            with control_api(place, 3):
                no_more_comes(hook, box)
        assert runs_told(hook) == sorted(runs)
        levels = {body["scope"]: body["level"] for body in hook.bodies}
        assert [levels[run] for run in runs] == ["warning"] * (RUNS // 2) + ["info"] * (RUNS // 2)
        assert len(box.subjects) == RUNS
        assert "changed P0: price: 1 -> 2" in hook.bodies[0]["message"]


def test_a_run_whose_source_failed_is_told_as_incomplete(place: Workplace) -> None:
    """By what really closes it, a scheduler, and by two control APIs; once."""

    def fails_in_the_middle() -> Iterator[CatalogueRow]:
        yield from generate("demo-hydrated", "http://127.0.0.1:1", HANDED_IN)
        raise ConnectionError("the source has gone away")

    with open_webhook() as hook, mail_server() as (box, mail_port):
        tell_of(place, hook, mail_port)
        with (
            place.redis() as client,
            control_api(place, 1),
            control_api(place, 2),
            running(place, "scheduler", "scheduler"),
        ):
            with pytest.raises(ConnectionError):
                place.enqueue("demo-hydrated", fails_in_the_middle(), batch_size=1000)
            with place.store() as store:
                run = store.latest_run()
            assert run is not None
            finish(place, run, Verdict.OK, HANDED_IN)
            hook.wait_for(1, 120)
            eventually(lambda: nothing_in_hand(client), 30, "the mail")
            no_more_comes(hook, box)
        (body,) = hook.bodies
        assert (body["scope"], body["level"]) == (run, "critical")
        broke_off = f"its enqueueing broke off after {HANDED_IN} products; all {HANDED_IN} ok"
        assert f"run {run} of demo-hydrated is incomplete: {broke_off}" in body["message"]
