"""Processes that start afresh in place, for real: the same id, and an end only where one was asked for."""

from __future__ import annotations

import signal
import socket
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
import redis

from pagemill.fleet import process_orders
from pagemill.fleet.actions import RESTART
from pagemill.fleet.orders import OrderReply, give
from pagemill.fleet.processes import API, SCHEDULER, ProcessSnapshot, read_processes
from pagemill.telemetry import events
from tests.redis.commands import Office, eventually

pytestmark = [pytest.mark.redis, pytest.mark.timeout(180)]


@pytest.fixture
def office(tmp_path: Path, redis_server: str, redis_client: redis.Redis) -> Office:
    """An empty schedule."""
    return Office(tmp_path, redis_server, redis_client)


@pytest.fixture
def port() -> int:
    """A free one."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def told(office: Office, process: ProcessSnapshot) -> OrderReply:
    """What it answers to the order."""
    return give(office.client, [process.name], RESTART, 20, process_orders.leave, reason="a test")[0]


def usual_descriptors(pid: int) -> int:
    """How many it has most of the time, once it has had time to open all."""
    time.sleep(2)
    counts = []
    for _ in range(30):
        counts.append(len(list(Path(f"/proc/{pid}/fd").iterdir())))
        time.sleep(0.05)
    return statistics.mode(counts)


def blocked_signals(pid: int) -> int:
    """As the kernel has them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("SigBlk:"))


def test_a_scheduler_becomes_a_fresh_one(office: Office) -> None:
    """Under its id, with nothing left open and no signal held back; twice in a row; a stop ends it with 0 as ever."""
    with office.running("s1", "scheduler") as process:
        first = office.reported(process)
        assert first.role == SCHEDULER
        eventually(lambda: office.events("s1", events.SCHEDULER_LEADS), 30, "the lead")
        at_first = usual_descriptors(process.pid)
        assert told(office, first).done
        second = office.reported(process, first.name)
        assert told(office, second).done
        third = office.reported(process, second.name)
        assert len({first.name, second.name, third.name}) == 3
        assert first.started_at < second.started_at < third.started_at
        eventually(lambda: office.events("s1", events.SCHEDULER_LEADS)[2:], 30, "the lead")
        assert usual_descriptors(process.pid) <= at_first
        assert blocked_signals(process.pid) == 0
        assert [each.name for each in read_processes(office.client)] == [third.name]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert read_processes(office.client) == []
    assert [line["pid"] for line in office.events("s1", events.PROCESS_RESTARTING)] == [process.pid] * 2
    memory = office.events("s1", events.MEMORY)
    assert [line["process"] for line in memory] == [first.name, second.name, third.name]
    assert {line["role"] for line in memory} == {SCHEDULER}
    assert all(line["rss_mb"] > 20 for line in memory)
    assert "Traceback" not in office.log("s1").read_text()


def test_an_api_becomes_a_fresh_one_on_its_port(office: Office, port: int) -> None:
    """It answers again within seconds, also who has kept a connection to it."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    with office.running("api", "api", "--port", str(port)) as process:
        first = office.reported(process)
        assert first.role == API
        eventually(answers, 30, "the API")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as idle:
            assert told(office, first).done
            assert idle.recv(100) == b""  # its connection ends
        second = office.reported(process, first.name)
        eventually(answers, 30, "the API again")
        assert second.pid == first.pid == process.pid
        assert (second.started_at - first.started_at).total_seconds() < 60
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert office.events("api", events.UNEXPECTED) == []
    assert "Traceback" not in office.log("api").read_text()


@pytest.mark.parametrize("command", ["scheduler", "api"])
def test_one_whose_configuration_has_a_mistake_goes_on(office: Office, port: int, command: str) -> None:
    """A fresh one would end at once; who gave the order is told, and the next one is carried out when it is mended."""
    arguments = ("api", "--port", str(port)) if command == "api" else (command,)
    with office.running("it", *arguments) as process:
        first = office.reported(process)
        bad = office.folder / "config" / "pagemill.yaml"
        bad.write_text("queue: {batch_size: many}\n")
        answer = told(office, first)
        assert answer.heard
        assert "batch_size" in answer.error
        bad.unlink()
        assert told(office, first).done
        assert office.reported(process, first.name).pid == process.pid


def test_a_stop_that_comes_meanwhile_is_not_lost(office: Office) -> None:
    """Whenever it comes, before it becomes a fresh one, in between, or while that one starts: it ends, and well."""
    ends = []
    for later_s in (0.001, 0.1, 0.5):
        with office.running("s1", "scheduler") as process:
            first = office.reported(process)
            assert told(office, first).done
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(later_s)
            process.send_signal(signal.SIGTERM)
            ends.append(process.wait(30))
    assert ends == [0] * 3
    assert read_processes(office.client) == []


def test_a_stop_that_comes_before_the_api_listens_is_not_lost(office: Office, port: int) -> None:
    """It has opened its database, and nobody is there yet to hear a signal."""
    with office.running("api", "api", "--port", str(port)) as process:
        eventually((office.folder / "data" / "pagemill.db").exists, 60, "its database")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_the_api_says_where_it_is_when_it_answers(office: Office, port: int) -> None:
    """Whoever reads the line can ask; a second one at the same port says only what to do about it."""
    with office.running("api", "api", "--port", str(port)):
        eventually(lambda: "the dashboard is at" in office.log("api").read_text(), 60, "its line")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
            assert answer.status == 200
        with office.running("second", "api", "--port", str(port)) as second:
            assert second.wait(60) == 2
    said = office.log("second").read_text()
    assert "the dashboard is at" not in said
    assert f"port {port}" in said
    assert "--port" in said
