"""What shows only after minutes: a leaky catalogue below the container's limit, and one pace for three workers."""

from __future__ import annotations

import json
import shutil
import threading
import time
from bisect import bisect_left
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docker.conftest import Project, docker, rows, until
from tests.docker.test_containers import right, verdicts_are_right

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.timeout(1500)]

PER_MINUTE = 120
RETRY_AFTER_S = 10
CUT_OFF_S = 20
IN_FLIGHT_S = 1.0
"""How long after a stop a visit that was let go before may still come in."""


def used_mb(shown: str) -> float:
    """What `docker stats` calls 1.2GiB / 4GiB."""
    number = shown.split("/")[0].strip()
    for unit, factor in (("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1 / 1024), ("B", 1 / 1024**2)):
        if number.endswith(unit):
            return float(number.removesuffix(unit)) * factor
    raise ValueError(shown)


class Watch:
    """`docker stats` of one container, every other second, from a thread."""

    def __init__(self, container: str) -> None:
        self.used_mb: list[float] = []
        self._container = container
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="docker stats", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    def _look(self) -> None:
        while not self._ended.wait(2):
            self.used_mb.append(used_mb(docker("stats", "--no-stream", "--format", "{{.MemUsage}}", self._container)))


def test_two_thousand_leaky_products_stay_below_the_limit(project: Project) -> None:
    """The limit is half of what the shipped file gives; without rotation they would take twenty times the room."""
    project.change(worker={"mem_limit": "2g", "mem_reservation": "512m", "shm_size": "1gb"})
    catalogue = rows(2000, leak_kb=1000)
    project.compose("up", "--detach", "storefront", "worker")
    run = project.enqueue(catalogue)
    (worker,) = project.containers()
    with Watch(worker) as watch:
        verdicts_are_right(project.wait_for_results(run, 2000, 1200), right(catalogue))
    state = project.state(worker)
    log = docker("logs", worker, timeout_s=120)
    rotations = [line for line in log.splitlines() if "Page Rotation" in line]
    used = sorted(watch.used_mb)
    print(f"docker stats: {len(used)} looks, median {used[len(used) // 2]:.0f} MB, most {used[-1]:.0f} MB of 2048")
    print(f"page rotations: {len(rotations)}; restarts: {state['RestartCount']}")
    assert len(rotations) >= 150
    assert used[-1] < 0.85 * 2048
    assert (state["RestartCount"], state["State"]["OOMKilled"]) == (0, False)


class PacedProject:
    """Three workers, and a shop that writes down its visits."""

    def __init__(self, project: Project) -> None:
        self.project = project
        shutil.copy(Path(__file__).with_name("paced_shop.py"), project.folder)
        file = project.folder / "docker-compose.override.yml"
        changes = yaml.safe_load(file.read_text())
        changes["services"]["storefront"] |= {
            "entrypoint": ["python", "/shop/paced_shop.py"],
            "command": [],
            "volumes": [f"{project.folder}/paced_shop.py:/shop/paced_shop.py:ro"],
        }
        file.write_text(yaml.safe_dump(changes))
        shop = {
            "platform": "shop",
            "hosts": ["storefront"],
            "workflow": {
                "rate_limit": {"wait_time_ms": 0, "max_per_minute": PER_MINUTE},
                "concurrency": {"default": 4},
            },
            "extract": {"ready": "body[data-ready]", "fields": {"name": "h1.name"}},
        }
        (project.folder / "config" / "platforms" / "shop.yaml").write_text(yaml.safe_dump(shop))

    def enqueue(self, count: int) -> None:
        """Products whose pages say what the catalogue says."""
        lines = ["id,url,name", *(f"p{number},http://storefront:8900/p/{number},x" for number in range(count))]
        (self.project.folder / "paced.csv").write_text("\n".join(lines) + "\n")
        self.project.pagemill("enqueue", "/in/paced.csv", "--platform", "shop", "--batch-size", "20")

    def visits(self) -> list[dict[str, Any]]:
        """The shop's log."""
        (shop,) = self.project.containers("storefront")
        lines = [line for line in docker("logs", shop).splitlines() if line.startswith("{")]
        return sorted((json.loads(line) for line in lines), key=lambda visit: visit["at"])

    def refuse_next(self) -> None:
        """The next visit gets a 429."""
        (shop,) = self.project.containers("storefront")
        ask = f"import urllib.request as u; u.urlopen('http://127.0.0.1:8900/refuse-next/{RETRY_AFTER_S}')"
        docker("exec", shop, "python", "-c", ask)

    def cut_redis_off(self) -> tuple[float, float]:
        """Takes Redis out of the network for a while; from when to when it was away for certain."""
        network = f"{self.project.name}_default"
        (redis,) = self.project.containers("redis")
        docker("network", "disconnect", network, redis)
        begun = time.time()
        time.sleep(CUT_OFF_S)
        ended = time.time()
        docker("network", "connect", "--alias", "redis", network, redis)
        return begun, ended


def is_healthy(project: Project, container: str) -> bool:
    """Whether its health check says so."""
    return bool(project.state(container)["State"]["Health"]["Status"] == "healthy")


def most_in_a_minute(moments: list[float]) -> int:
    """The most visits in any 60 s."""
    return max(bisect_left(moments, moment + 60) - index for index, moment in enumerate(moments))


def test_three_workers_keep_one_pace(project: Project) -> None:
    """Never more than the limit, nearly all of it, and silence when the shop asks for it or Redis is away."""
    paced = PacedProject(project)
    project.compose("up", "--detach", "--scale", "worker=3", "storefront", "worker")
    workers = project.containers()
    assert until(lambda: all(is_healthy(project, worker) for worker in workers), 90)
    paced.enqueue(500)

    time.sleep(90)
    steady = [visit["at"] for visit in paced.visits()]
    used = len(steady) / ((steady[-1] - steady[0]) / 60 * PER_MINUTE)
    print(f"steady: {len(steady)} visits in {steady[-1] - steady[0]:.1f} s, {100 * used:.1f} % of the limit")
    assert used >= 0.95

    paced.refuse_next()
    time.sleep(RETRY_AFTER_S + 10)
    visits = paced.visits()
    (refused_at,) = [visit["at"] for visit in visits if visit["refused_s"]]
    after = [visit["at"] - refused_at for visit in visits if visit["at"] > refused_at + IN_FLIGHT_S]
    print(f"after the 429 the next visits came at {[round(moment, 2) for moment in after[:3]]} s")
    assert RETRY_AFTER_S <= after[0] <= RETRY_AFTER_S + 3

    begun, ended = paced.cut_redis_off()
    assert until(lambda: len([1 for visit in paced.visits() if visit["at"] > ended]) >= 20, 60)
    meanwhile = [visit["at"] - begun for visit in paced.visits() if begun + IN_FLIGHT_S < visit["at"] < ended]
    back = [visit["at"] - ended for visit in paced.visits() if visit["at"] > ended]
    print(f"while Redis was cut off: {len(meanwhile)} visits; afterwards the first came after {back[0]:.1f} s")
    assert meanwhile == []

    visits = paced.visits()
    moments = [visit["at"] for visit in visits]
    print(f"most in any minute: {most_in_a_minute(moments)} of {PER_MINUTE}; least gap {min_gap(moments):.2f} s")
    assert most_in_a_minute(moments) <= PER_MINUTE
    paths = [visit["path"] for visit in visits]
    assert len(paths) - len(set(paths)) <= 1  # the refused one may be tried again
    assert {project.state(worker)["RestartCount"] for worker in workers} == {0}


def min_gap(moments: list[float]) -> float:
    """The shortest time between two visits."""
    return min(after - before for before, after in pairwise(moments))
