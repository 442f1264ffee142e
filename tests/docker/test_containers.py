"""The shipped containers on a real engine: a catalogue, rotations, limits, draining, crashes, healing, scaling."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from typing import Any

import pytest

from tests.docker.conftest import Project, docker, free_port, rows, until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


def verdicts_are_right(results: list[dict[str, object]], expected: dict[str, str]) -> None:
    """Each product has exactly one result, and it is the right one."""
    assert sorted(str(result["product_id"]) for result in results) == sorted(expected)
    assert {str(result["product_id"]): result["verdict"] for result in results} == expected


def right(catalogue: list) -> dict[str, str]:  # type: ignore[type-arg]
    return {row.product.id: row.right_verdict.value for row in catalogue}


def test_a_whole_catalogue(project: Project) -> None:
    """Enqueued from another container; rotations in the log; shared memory of 2 GB, used; the sandbox on; not root."""
    catalogue = rows(120, leak_kb=200)
    project.compose("up", "--detach", "storefront", "worker")
    run = project.enqueue(catalogue)
    verdicts_are_right(project.wait_for_results(run, 120, 240), right(catalogue))
    assert [line for line in project.log() if line["event"] == "Page Rotation"]
    (worker,) = project.containers()
    processes = docker("exec", worker, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "--no-sandbox" not in processes
    assert docker("exec", worker, "id", "-u").strip() == "10001"
    assert int(docker("exec", worker, "stat", "-fc", "%b %S", "/dev/shm").split()[0]) * 4096 == 2 * 1024**3
    memory = [line for line in project.log() if line["event"] == "Memory" and "lanes" in line]
    assert max(line["cgroup_percent"] for line in memory) < 80
    assert "--disable-dev-shm-usage" not in processes
    assert until(lambda: project.state(worker)["State"]["Health"]["Status"] == "healthy", 60)


def test_a_stop_drains_within_the_grace_period(project: Project) -> None:
    """What is at work ends, the rest goes back to the queue, and the next worker goes on with it."""
    catalogue = rows(150)
    project.compose("up", "--detach", "storefront", "worker")
    run = project.enqueue(catalogue, batch_size="150")
    assert until(lambda: len(project.results(run)) > 10, 60, 1)
    (worker,) = project.containers()
    begun_s = time.monotonic()
    project.compose("stop", "worker")
    assert time.monotonic() - begun_s < 60
    state = project.state(worker)["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert [line for line in project.log() if line["event"] == "Batch Returned"]
    project.compose("up", "--detach", "worker")
    verdicts_are_right(project.wait_for_results(run, 150, 180), right(catalogue))


def test_a_killed_worker_comes_back_and_resumes(project: Project) -> None:
    """SIGKILL from outside, as a crash or the kernel's memory killer would."""
    catalogue = rows(150)
    project.compose("up", "--detach", "storefront", "worker")
    run = project.enqueue(catalogue, batch_size="50")
    assert until(lambda: len(project.results(run)) > 10, 60, 1)
    (worker,) = project.containers()
    os.kill(project.state(worker)["State"]["Pid"], signal.SIGKILL)
    verdicts_are_right(project.wait_for_results(run, 150, 240), right(catalogue))
    assert project.state(worker)["RestartCount"] == 1


def test_a_stuck_container_heals_itself(project: Project) -> None:
    """Its main process stands still: the health check ends it, and the restart policy brings a fresh one."""
    health = ["CMD", "pagemill-health", "4", "8"]
    project.change(worker={"healthcheck": {"test": health, "interval": "2s", "start_period": "1s"}})
    project.compose("up", "--detach", "storefront", "worker")
    (worker,) = project.containers()
    assert until(lambda: project.state(worker)["State"]["Health"]["Status"] == "healthy", 60)
    find = "for f in /tmp/pagemill-pulse-10001/*; do echo ${f##*/}; done"
    pid = docker("exec", worker, "sh", "-c", find).strip()
    docker("exec", worker, "sh", "-c", f"kill -STOP {pid}")
    assert until(lambda: project.state(worker)["RestartCount"] >= 1, 60)
    assert until(lambda: project.state(worker)["State"]["Health"]["Status"] == "healthy", 60)


def test_several_workers_share_the_work(project: Project) -> None:
    """`--scale worker=3`: all three visit, no product twice."""
    catalogue = rows(180)
    project.compose("up", "--detach", "--scale", "worker=3", "storefront", "worker")
    run = project.enqueue(catalogue, batch_size="15")
    results = project.wait_for_results(run, 180, 240)
    verdicts_are_right(results, right(catalogue))
    assert len({result["worker"] for result in results}) == 3


def test_the_control_room(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a secret that nobody gave it, reached through the published port: it sees all processes, and has them
    replaced. Scheduler and API become fresh ones without an end of their containers."""
    port = free_port()
    monkeypatch.setenv("PAGEMILL_API_PORT", str(port))
    project.compose("up", "--detach", "storefront", "worker", "scheduler", "api")
    (api,) = project.containers("api")
    (scheduler,) = project.containers("scheduler")
    assert until(lambda: project.state(api)["State"]["Health"]["Status"] == "healthy", 90), docker("logs", api)
    token = project.compose("exec", "-T", "api", "pagemill", "token", "--role", "admin").strip()

    def ask(method: str, path: str) -> Any:
        url = f"http://127.0.0.1:{port}{path}"
        request = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def workers() -> set[str]:
        shown = ask("GET", "/api/performance/dashboard?history=false")["data"]["workers"]
        return {worker["name"] for worker in shown if worker["alive"]}

    def restart() -> Any:
        try:
            return ask("GET", "/api/v2/system/restart-all")["data"]
        except OSError:  # the API comes last, and is away for some seconds
            return {"state": "running"}

    def is_over() -> bool:
        told = restart()
        return told["state"] != "running" and "restarting" not in {step["state"] for step in told["processes"]}

    assert until(lambda: len(workers()) == 1, 60)
    roles = {"scheduler", "api", "supervisor"}
    assert until(lambda: {each["role"] for each in ask("GET", "/memory/stats")["processes"]} == roles, 60)
    catalogue = rows(150)
    run = project.enqueue(catalogue, batch_size="50")
    before = workers()
    ask("POST", "/api/v2/system/restart-all")
    assert until(is_over, 180), restart()
    told = restart()
    assert told["state"] == "done"
    assert [(step["role"], step["state"]) for step in told["processes"]] == [("scheduler", "done"), ("api", "done")]
    assert not workers() & before
    verdicts_are_right(project.wait_for_results(run, 150, 180), right(catalogue))
    assert project.state(project.containers()[0])["RestartCount"] == 0
    for container in (api, scheduler):
        state = project.state(container)
        assert (state["RestartCount"], state["State"]["Running"], state["State"]["OOMKilled"]) == (0, True, False)
