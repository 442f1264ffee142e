"""What a stranger has: the wheel, a fresh environment, an empty folder. From there to results, without the clone."""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pagemill.config.loading import load_config
from tests.wheel import REPOSITORY, build_wheel, install, strangers_variables

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.redis, pytest.mark.timeout(300)]

SCRIPT = """
import sys

import pagemill

shop = sys.argv[1]
rows = [{"id": state, "url": f"{shop}/jsonld/p/any.{state}"} for state in ("ok", "sold-out", "gone-404")]
with pagemill.connect() as mill:
    run = mill.enqueue(rows, platform="myshop")
    mill.wait(run, timeout_s=120)
    print(pagemill.__file__)
    print(sorted((result.product_id, result.verdict.value) for result in mill.results(run)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


class Stranger:
    """An empty folder, and an environment with the wheel."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder

    def run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        """Runs one of the environment's programs; what it printed."""
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=cwd or self.folder,
            env=strangers_variables(),
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, *arguments: str, cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
        """`pagemill ARGUMENTS` in the background."""
        with subprocess.Popen(
            [self.programs / "pagemill", *arguments],
            cwd=cwd or self.folder,
            env=strangers_variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.communicate(timeout=60)
                finally:
                    process.kill()


@pytest.fixture(scope="module")
def stranger(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    """One for all tests; each has folders of its own."""
    programs = install(wheel, tmp_path_factory.mktemp("environment") / "venv")
    return Stranger(programs, tmp_path_factory.mktemp("empty"))


def test_the_wheel_has_the_files_that_are_no_modules(wheel: Path) -> None:
    """What the control room's pages load, scripts for Redis and for pages, lists of words."""
    source = REPOSITORY / "src"
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    ours = [path for path in (source / "pagemill").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert {path.suffix for path in ours} >= {".js", ".lua", ".html", ".css", ".yaml"}
    assert [name for path in ours if (name := path.relative_to(source).as_posix()) not in names] == []


def test_the_wheel_has_the_repositorys_own_files(wheel: Path) -> None:
    """Byte by byte: there is no second copy that could become another."""
    with zipfile.ZipFile(wheel) as packed:
        shipped = {
            name.removeprefix("pagemill/shipped/"): packed.read(name)
            for name in packed.namelist()
            if name.startswith("pagemill/shipped/")
        }
    for folder in ("config", "docker"):
        ours = {
            path.relative_to(REPOSITORY).as_posix(): path.read_bytes()
            for path in (REPOSITORY / folder).rglob("*")
            if path.is_file()
        }
        assert {name: content for name, content in shipped.items() if name.startswith(f"{folder}/")} == ours
    for name in ("docker-compose.yml", "constraints.txt", ".dockerignore"):
        assert shipped[name.lstrip(".")] == (REPOSITORY / name).read_bytes()


def test_a_folder_of_ones_own(stranger: Stranger, wheel: Path) -> None:
    """Made, examined, and worked in: queued from Python, validated by a worker, read from Python."""
    said = stranger.run("pagemill", "init", "shops")
    place = stranger.folder / "shops"
    assert "pagemill check" in said
    assert (place / "docker" / wheel.name).read_bytes() == wheel.read_bytes()
    assert set(load_config(place / "config", {}).platforms) == {"myshop"}
    stranger.run("pagemill", "check", cwd=place)
    with (
        stranger.running("storefront", "--port", "0", cwd=place) as shop,
        stranger.running("worker", cwd=place),
    ):
        assert shop.stdout is not None
        address = re.search(r"http://\S+", shop.stdout.readline())
        assert address is not None
        module, results = stranger.run("python", "-c", SCRIPT, address[0], cwd=place).splitlines()
    assert Path(module).is_relative_to(stranger.programs.parent)
    assert results == str([("gone-404", "gone"), ("ok", "ok"), ("sold-out", "sold_out")])


def test_the_demo_works_anywhere(stranger: Stranger, tmp_path: Path) -> None:
    """In an empty folder, which is empty again afterwards."""
    said = stranger.run("pagemill", "demo", "--products", "30", cwd=tmp_path)
    assert "30 products in" in said
    assert "WRONG" not in said
    assert list(tmp_path.iterdir()) == []
