"""A project of containers on a real engine, with the practice shop among them, and nothing of it left afterwards."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pagemill.demo.catalogue import CatalogueRow, generate, write_catalogue_csv

REPOSITORY = Path(__file__).parents[2]
SHOP = "http://storefront:8900"
_BUILD_S = 900


class Project:
    """One `docker compose` project in a folder, which is empty at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)  # the containers' user reads in it
        self.name = f"pagemill-test-{secrets.token_hex(3)}"

    def furnish(self) -> None:
        """Puts the shipped files there, and a second Compose file with the shop and what the test changes."""
        folder = self.folder
        shutil.copytree(REPOSITORY / "config", folder / "config")
        shutil.copytree(REPOSITORY / "docker", folder / "docker")
        shutil.copy(REPOSITORY / "docker-compose.yml", folder)
        self.change()

    def change(self, **services: dict[str, Any]) -> None:
        """Changes services of the shipped file."""
        storefront = {
            "image": "pagemill:test",
            "command": ["storefront", "--host", "0.0.0.0", "--port", "8900"],
            "init": True,
        }
        shipped = {name: {"image": "pagemill:test"} for name in ("worker", "scheduler", "api")}
        merged = {name: shipped.get(name, {}) | services.get(name, {}) for name in {*shipped, *services}}
        changes = {"services": {**merged, "storefront": storefront}}
        (self.folder / "docker-compose.override.yml").write_text(yaml.safe_dump(changes))

    def compose(self, *arguments: str, check: bool = True, timeout_s: float = 180) -> str:
        """Runs `docker compose`; what it printed."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        assert done.returncode == 0 or not check, f"docker compose {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def pagemill(self, *arguments: str) -> str:
        """Runs a command in a container of its own, as a user does; what it printed on standard output."""
        return self.compose("run", "--rm", "--no-deps", "-T", "-v", f"{self.folder}:/in:ro", "scheduler", *arguments)

    def containers(self, service: str = "worker") -> list[str]:
        """The ids of a service's containers, running or not."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def state(self, container: str) -> dict[str, Any]:
        """What the engine says of a container."""
        (found,) = json.loads(docker("inspect", container))
        return dict(found)

    def enqueue(self, rows: list[CatalogueRow], **options: str) -> str:
        """Puts them on the queue from a container of its own; the run's id."""
        write_catalogue_csv(self.folder / "catalogue.csv", rows)
        options = {"platform": "demo-hydrated"} | options
        more = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
        said = self.pagemill("enqueue", "/in/catalogue.csv", *more)
        return said.split()[1].rstrip(":")

    def results(self, run: str) -> list[dict[str, Any]]:
        """The results so far."""
        lines = self.pagemill("results", "--run", run, "--format", "jsonl").splitlines()
        return [json.loads(line) for line in lines]

    def wait_for_results(self, run: str, count: int, seconds: float) -> list[dict[str, Any]]:
        """The results, once so many are there."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            found[:] = self.results(run)
            return len(found) >= count

        assert until(enough, seconds, 2.0), f"{len(found)} of {count} results: {self.compose('logs', '--tail', '40')}"
        return found

    def log(self, service: str = "worker") -> list[dict[str, Any]]:
        """The service's log lines that are JSON."""
        lines = [line for container in self.containers(service) for line in docker("logs", container).splitlines()]
        return [json.loads(line) for line in lines if line.startswith("{")]


def docker(*arguments: str, timeout_s: float = 60) -> str:
    """Runs `docker`; what it printed."""
    command = ["docker", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}"
    return done.stdout


def until(condition: Callable[[], object], seconds: float, every_s: float = 0.5) -> bool:
    """Whether something becomes true in time."""
    deadline_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(every_s)
    return True


def free_port() -> int:
    """One that nobody has on this machine's loopback address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def rows(count: int, **options: Any) -> list[CatalogueRow]:
    """Products of the shop's container."""
    return list(generate("demo-hydrated", SHOP, count, **options))


@pytest.fixture(scope="session")
def image() -> None:
    """The image, built from this checkout. Without an engine these tests skip; where `CI` is set they fail."""
    try:
        docker("version", timeout_s=20)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must not skip: {error}")
        pytest.skip(f"no container engine answers: {error}")
    command = ["docker", "build", "--quiet", "--file", "docker/Dockerfile", "--tag", "pagemill:test", "."]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=_BUILD_S)


@pytest.fixture
def empty_project(image: None, tmp_path: Path) -> Iterator[Project]:
    """One without files; its containers, networks and volumes are removed afterwards."""
    project = Project(tmp_path)
    yield project
    project.compose("down", "--volumes", "--timeout", "5", check=False)


@pytest.fixture
def project(empty_project: Project) -> Project:
    """One with the shipped files."""
    empty_project.furnish()
    return empty_project
