"""The file that tells of progress, and the health check that looks at it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from pagemill.telemetry.liveness_file import LivenessFile

HEALTH = Path(__file__).parents[3] / "docker" / "health.sh"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files of this user's processes are expected."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / f"pagemill-pulse-{os.getuid()}"


def health(*seconds: int) -> subprocess.CompletedProcess[str]:
    """Asks as a container engine does."""
    return subprocess.run([str(HEALTH), *map(str, seconds)], capture_output=True, text=True, timeout=10)


def age(path: Path, seconds: float) -> None:
    """Makes the file look as if there had been no progress for so long."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def test_a_process_with_progress_is_healthy(folder: Path) -> None:
    """As long as it lasts; before and afterwards there is nothing that could be."""
    assert health().returncode == 1
    with LivenessFile() as beating:
        assert health(60, 180).returncode == 0
        age(folder / str(os.getpid()), 100)
        assert health(60, 180).returncode == 1
        beating.beat()
        assert health(60, 180).returncode == 0
    assert health().returncode == 1
    assert not folder.exists()


def test_a_process_without_progress_is_ended(folder: Path) -> None:
    """And another one in its place is not held against it."""
    folder.mkdir()
    stuck = subprocess.Popen(["sleep", "60"])
    (folder / str(stuck.pid)).touch()
    age(folder / str(stuck.pid), 200)
    said = health(60, 180)
    assert said.returncode == 1
    assert f"no progress of process {stuck.pid}" in said.stdout
    assert stuck.wait(5) == -9
    with LivenessFile():
        assert health(60, 180).returncode == 0
    assert not (folder / str(stuck.pid)).exists()


def test_a_folder_that_cannot_be_written_stops_no_work(tmp_path: Path) -> None:
    """The check will notice; the work goes on."""
    (tmp_path / "file").touch()
    with LivenessFile(tmp_path / "file") as beating:
        beating.beat()
