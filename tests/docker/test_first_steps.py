"""Containers that start as they are: those for work on the code, and those of a stranger's folder."""

from __future__ import annotations

import shutil
import subprocess
import urllib.error
import urllib.request

import pytest
import redis
import yaml

from pagemill.demo.catalogue import generate
from tests.docker.conftest import REPOSITORY, SHOP, Project, docker, free_port, rows, until
from tests.docker.test_containers import right, verdicts_are_right
from tests.wheel import build_wheel, install, strangers_variables

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


def is_healthy(project: Project, service: str) -> bool:
    (container,) = project.containers(service)
    return bool(project.state(container)["State"]["Health"]["Status"] == "healthy")


def asks_for_tokens_and_takes_its_own(project: Project, port: int) -> None:
    """The API lets in who has a token of its secret, and nobody else."""
    assert until(lambda: is_healthy(project, "api"), 120), project.compose("logs", "api")
    (api,) = project.containers("api")
    assert project.state(api)["RestartCount"] == 0
    token = project.compose("exec", "-T", "api", "pagemill", "token", "--role", "planner").strip()
    address = f"http://127.0.0.1:{port}/memory/status"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address, timeout=20)


def test_work_on_the_code_in_a_fresh_clone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made beforehand: the API has a secret, Redis a password, and the worker visits the shop beside it."""
    for name in ("docker-compose.dev.yml", "constraints.txt", ".dockerignore"):
        shutil.copy(REPOSITORY / name, project.folder)
    shutil.copytree(REPOSITORY / "src", project.folder / "src", symlinks=True)
    ports = {name: free_port() for name in ("API", "REDIS", "STOREFRONT")}
    for name, port in ports.items():
        monkeypatch.setenv(f"PAGEMILL_{name}_PORT", str(port))
    monkeypatch.setenv("PAGEMILL_IMAGE", "pagemill:test")
    monkeypatch.setenv("COMPOSE_FILE", "docker-compose.dev.yml")
    project.compose("up", "--detach", "--no-build")
    asks_for_tokens_and_takes_its_own(project, ports["API"])
    with redis.Redis(port=ports["REDIS"]) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    catalogue = rows(30)
    run = project.enqueue(catalogue)
    verdicts_are_right(project.wait_for_results(run, 30, 120), right(catalogue))
    where = "import pagemill.cli.demo as demo, os; print(demo.__file__, os.listdir(demo.SHIPPED_CONFIG))"
    said = project.compose("exec", "-T", "worker", "python", "-c", where)
    assert said.startswith("/clone/src/pagemill/")
    assert "pagemill.yaml" in said


def test_a_strangers_folder(
    empty_project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written by `pagemill init` of an installed wheel: the image is built from that wheel, and all of it works."""
    project = empty_project
    elsewhere = tmp_path_factory.mktemp("wheel")
    programs = install(build_wheel(elsewhere), elsewhere / "venv")
    subprocess.run([programs / "pagemill", "init", project.folder], env=strangers_variables(), check=True, timeout=60)
    platform = project.folder / "config" / "platforms" / "myshop.yaml"
    platform.write_text(platform.read_text().replace("127.0.0.1", "storefront"))
    shop = {"image": "pagemill:test-wheel", "command": ["storefront", "--host", "0.0.0.0"], "init": True}
    (project.folder / "docker-compose.override.yml").write_text(yaml.safe_dump({"services": {"storefront": shop}}))
    monkeypatch.setenv("PAGEMILL_IMAGE", "pagemill:test-wheel")
    monkeypatch.setenv("PAGEMILL_API_PORT", str(port := free_port()))
    project.compose("build", "worker", timeout_s=600)
    project.compose("up", "--detach", "--no-build", "storefront", "worker", "scheduler", "api")
    asks_for_tokens_and_takes_its_own(project, port)
    secret = project.compose("exec", "-T", "api", "printenv", "PAGEMILL_API_SECRET").strip()
    assert f"PAGEMILL_API_SECRET={secret}\n" in (project.folder / ".env").read_text()
    (worker,) = project.containers()
    assert secret not in docker("exec", worker, "env")
    catalogue = list(generate("demo-jsonld", SHOP, 8))
    run = project.enqueue(catalogue, platform="myshop")
    verdicts_are_right(project.wait_for_results(run, 8, 120), right(catalogue))
    assert is_healthy(project, "worker")
