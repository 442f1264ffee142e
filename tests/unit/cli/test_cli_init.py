"""`pagemill init`: what it writes, what it leaves alone, and that what it writes fits together."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pagemill import __version__
from pagemill.config.environment import read_environment
from pagemill.config.loading import load_config
from pagemill.config.settings import Settings
from tests.unit.cli.command import run

ROOT = Path(__file__).parents[3]
SAME = (
    "config/pagemill.yaml",
    "config/schedule.yaml",
    "config/alerts.yaml",
    "docker-compose.yml",
    "docker/seccomp.json",
)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A fresh folder."""
    said = run(tmp_path, "init", "My Shops")
    assert said.code == 0, said.err
    assert said.err == ""
    return tmp_path / "My Shops"


def contents(folder: Path) -> dict[str, bytes]:
    """All files by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def variables(folder: Path) -> dict[str, str]:
    """What `.env` sets."""
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_a_folder_has_what_a_first_run_needs(made: Path) -> None:
    """A configuration with one shop, as the repository has it."""
    config = load_config(made / "config", {})
    assert set(config.platforms) == {"myshop"}
    assert config.settings == Settings()
    for name in SAME:
        assert (made / name).read_bytes() == (ROOT / name).read_bytes()
    assert {"README.md", ".gitignore", ".dockerignore", "docker/Dockerfile"} <= contents(made).keys()


def test_it_says_what_to_do_next(tmp_path: Path) -> None:
    """With the folder as a shell wants it, and without a step that is none."""
    said = run(tmp_path, "init", "My Shops").out
    assert "\n  cd 'My Shops'\n  pagemill check" in said
    here = run(tmp_path / "My Shops", "init", ".").out
    assert ": 0 files written" in here
    assert "\n  cd " not in here


def test_the_secrets_are_ones_own(made: Path, tmp_path: Path) -> None:
    """Another one each time, readable for the owner alone, and good enough for the API."""
    assert stat.S_IMODE((made / ".env").stat().st_mode) == 0o600
    found = variables(made)
    assert found["COMPOSE_PROJECT_NAME"] == "my-shops"
    environment, problems = read_environment(found)
    assert problems == ()
    run(tmp_path, "init", "other")
    assert variables(tmp_path / "other")["PAGEMILL_API_SECRET"] != environment.api_secret != ""
    assert ".env" in (made / ".gitignore").read_text()


def test_containers_can_read_the_rest(made: Path) -> None:
    """Their user is nobody here. What is started can be."""
    for name in contents(made).keys() - {".env"}:
        path = made / name
        expected = 0o755 if path.suffix == ".sh" else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == expected, name


@pytest.mark.parametrize("name", ["상점", "-_-"])
def test_a_name_that_compose_refuses_is_not_the_projects(tmp_path: Path, name: str) -> None:
    """Any folder will do."""
    assert run(tmp_path, "init", "--", name).code == 0
    assert variables(tmp_path / name)["COMPOSE_PROJECT_NAME"] == "pagemill"


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    """A file, a link that leads nowhere; the rest is written. A second call changes nothing."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "pagemill.yaml").write_text("profile: development\n")
    (tmp_path / "README.md").symlink_to("nowhere")
    said = run(tmp_path, "init", ".")
    assert said.code == 0
    assert "left as they were: README.md, config/pagemill.yaml (--force" in said.out
    assert (tmp_path / "config" / "pagemill.yaml").read_text() == "profile: development\n"
    assert (tmp_path / "README.md").is_symlink()
    before = contents(tmp_path)
    assert run(tmp_path, "init", ".").code == 0
    assert contents(tmp_path) == before


def test_force_replaces_all_but_the_secrets(made: Path) -> None:
    """What was there stays under another name; what is the same is not touched."""
    first = contents(made)
    (made / "docker-compose.yml").write_text("services: {}\n")
    (made / ".env").write_text("MINE=1\n")
    said = run(made, "init", "--force", ".")
    assert ": 1 file written" in said.out
    assert contents(made) == first | {".env": b"MINE=1\n", "docker-compose.yml.before": b"services: {}\n"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """One line that says so."""
    (tmp_path / "taken").write_text("")
    said = run(tmp_path, "init", "taken")
    assert (said.code, said.err) == (2, "pagemill: taken is a file: name a folder\n")


def needed(compose: dict[str, Any]) -> Iterator[str]:
    """The files of the folder without which its services do not start."""
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            if volume.startswith("./"):
                yield volume.split(":")[0]
        for file in service.get("env_file", []):
            if isinstance(file, str) or file.get("required", True):
                yield file if isinstance(file, str) else file["path"]
        for option in service.get("security_opt", []):
            if option.startswith("seccomp="):
                yield option.removeprefix("seccomp=")
        if "build" in service:
            yield service["build"]["dockerfile"]


def test_what_the_containers_need_is_there(made: Path) -> None:
    """All that the Compose file mounts and reads, and all that the image is built from."""
    compose = yaml.safe_load((made / "docker-compose.yml").read_text())
    names = set(needed(compose))
    assert {"./config", "docker/api.env", "docker/Dockerfile", "docker/seccomp.json"} <= names
    copied = [line.split() for line in (made / "docker" / "Dockerfile").read_text().splitlines()]
    sources = {name for words in copied if words[:1] == ["COPY"] for name in words[1:-1] if not name.startswith("--")}
    names |= {name for name in sources if "*" not in name and not name.startswith("/")}
    assert "docker/health.sh" in names
    assert [name for name in sorted(names) if not (made / name).exists()] == []


def test_both_images_are_the_same_but_for_where_pagemill_comes_from() -> None:
    """And the one from the wheel installs this version."""
    ours, theirs = ((ROOT / "docker" / name).read_text() for name in ("Dockerfile", "wheel.Dockerfile"))
    marker = "FROM ${BASE} AS runtime\n"
    assert ours.partition(marker)[2] == theirs.partition(marker)[2] != ""
    assert f"ARG VERSION={__version__}\n" in theirs


def test_the_readme_shows_the_same_shop(made: Path) -> None:
    """What a folder has is what its steps were tried with."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shop = (made / "config" / "platforms" / "myshop.yaml").read_text()
    assert shop in ["".join(line.removeprefix("   ") for line in block.splitlines(keepends=True)) for block in blocks]
