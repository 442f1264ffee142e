"""The wheel, and environments that have it and no clone. Nothing is fetched: requirements are those of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

_OF_THE_WHEEL = (
    "pyproject.toml", "README.md", "LICENSE", "constraints.txt", ".dockerignore", "docker-compose.yml",
    "config", "docker", "src",
)  # fmt: skip
_BUILD_S = 120


def build_wheel(folder: Path) -> Path:
    """Builds it below that folder, from a copy of the sources: building leaves things behind."""
    sources = folder / "sources"
    sources.mkdir()
    for name in _OF_THE_WHEEL:
        if (REPOSITORY / name).is_dir():
            leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(REPOSITORY / name, sources / name, symlinks=True, ignore=leave_out)
        else:
            shutil.copy(REPOSITORY / name, sources / name)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(sources))
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Makes a virtual environment with that wheel; where its programs are."""
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    _pip("--python", str(programs / "python"), "install", "--no-deps", str(wheel))
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def strangers_variables() -> dict[str, str]:
    """The environment's variables without those that lead to this repository or say how pagemill is to be."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAGEMILL_", "PYTHON"))}
    if chromium := os.environ.get("PAGEMILL_CHROMIUM"):
        kept["PAGEMILL_CHROMIUM"] = chromium
    return kept


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", *arguments]
    done = subprocess.run(
        command, env=os.environ | {"PIP_NO_INDEX": "1"}, capture_output=True, text=True, timeout=_BUILD_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
