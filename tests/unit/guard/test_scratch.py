"""The worker's scratch folder, and sweeping what dead workers left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from pagemill.guard import scratch
from pagemill.guard.scratch import scratch_folder, sweep
from pagemill.telemetry import events
from tests.unit.guard.family import idle_process

_OWNER = (
    "import sys\n"
    "from pathlib import Path\n"
    "from pagemill.guard.scratch import scratch_folder\n"
    "with scratch_folder(Path(sys.argv[1])) as folder:\n"
    "    print(folder, flush=True)\n"
    "    sys.stdin.read()\n"
)


@contextmanager
def worker_in(base: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a scratch folder there, and that folder."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout is not None
        yield owner, Path(owner.stdout.readline().strip())
    finally:
        owner.communicate(timeout=10)


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or only waits to be collected."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("before", [None, "/somewhere"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_scratch_folder_lives_as_long_as_its_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None, fails: bool
) -> None:
    """Processes started inside use it for their temporary files; afterwards all is as it was."""
    if before is None:
        monkeypatch.delenv("TMPDIR", raising=False)
    else:
        monkeypatch.setenv("TMPDIR", before)
    try:
        with scratch_folder(tmp_path) as folder:
            assert folder.parent == tmp_path
            assert folder.stat().st_mode & 0o777 == 0o700
            assert os.environ["TMPDIR"] == str(folder)
            told = subprocess.run([sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"],
                                  capture_output=True, text=True, check=True)  # fmt: skip
            assert told.stdout.strip() == str(folder)
            (folder / "profile").mkdir()
            (folder / "profile" / "Cookies").write_text("x")
            if fails:
                raise ValueError("in the middle")
    except ValueError:
        assert fails
    assert os.environ.get("TMPDIR") == before
    assert list(tmp_path.iterdir()) == []


def test_one_process_can_have_one_after_the_other(tmp_path: Path) -> None:
    """As tests and commands do."""
    for _ in range(2):
        with scratch_folder(tmp_path) as folder:
            (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_without_a_base_it_lies_where_temporary_files_do() -> None:
    """Python asks TMPDIR once, so a base that was set later is not taken by accident."""
    with scratch_folder() as folder:
        assert folder.parent == Path(tempfile.gettempdir())


def test_a_dead_workers_folder_is_swept(tmp_path: Path) -> None:
    """SIGKILL gives nobody time to clean up; the next worker in that place does it, and says so."""
    with worker_in(tmp_path) as (owner, folder):
        (folder / "profile").mkdir()
        (folder / "profile" / "Cookies").write_text("x")
        owner.kill()
        owner.wait()
        with capture_logs() as lines, scratch_folder(tmp_path) as own:
            assert list(tmp_path.iterdir()) == [own]
        assert [(line["event"], line["folder"]) for line in lines] == [(events.ORPHANS_SWEPT, str(folder))]


def test_a_worker_that_nobody_has_collected_yet_is_dead(tmp_path: Path) -> None:
    """Its entry in the process table lasts until its parent asks; a container's first process may never do."""
    with worker_in(tmp_path) as (owner, folder):
        owner.kill()
        os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)
        assert sweep(tmp_path) == 1
        assert not folder.exists()


def test_a_living_workers_folder_is_kept(tmp_path: Path) -> None:
    """Whoever sweeps, and also this process' own."""
    with worker_in(tmp_path) as (_owner, folder), idle_process(f"--user-data-dir={folder}/profile") as browser:
        with scratch_folder(tmp_path) as own:
            assert sweep(tmp_path) == 0
            assert own.exists()
        assert folder.exists()
        assert browser.poll() is None


def test_a_living_worker_is_known_when_the_clock_has_been_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process' time of day moves with the clock; taking a living worker for a dead one would kill its browsers."""
    with worker_in(tmp_path) as (_owner, folder):
        real = psutil._pslinux.boot_time
        monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: real() + 60)
        assert sweep(tmp_path) == 0
        assert folder.exists()


def test_a_later_process_with_the_same_id_is_not_the_owner(tmp_path: Path) -> None:
    """Ids come round again, in a container soon."""
    with idle_process() as stranger:
        ticks = scratch._started_ticks(stranger.pid)
        assert ticks is not None
        (tmp_path / f"pagemill-worker-{stranger.pid}-{ticks - 1}").mkdir()
        assert sweep(tmp_path) == 1
        assert stranger.poll() is None
    assert list(tmp_path.iterdir()) == []


def dead_workers_folder(base: Path) -> Path:
    """As a worker that was killed leaves it."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    folder = base / f"pagemill-worker-{ended.pid}-1"
    folder.mkdir()
    return folder


def test_browsers_that_outlived_their_worker_are_killed(tmp_path: Path) -> None:
    """They name their profile below its folder; their children go with them."""
    folder = dead_workers_folder(tmp_path)
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    browser = subprocess.Popen(
        [sys.executable, "-S", "-c", script, f"--user-data-dir={folder}/profile-1"], stdout=subprocess.PIPE, text=True
    )
    assert browser.stdout is not None
    renderer_pid = int(browser.stdout.readline())
    with capture_logs() as lines:
        assert sweep(tmp_path) == 1
    browser.stdout.close()
    assert browser.wait(10) < 0
    deadline_s = time.monotonic() + 10
    while not has_ended(renderer_pid):
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    assert [line["killed"] for line in lines] == [2]


def test_a_neighbour_with_a_longer_name_is_spared(tmp_path: Path) -> None:
    """`...-12` is not `...-123`."""
    folder = dead_workers_folder(tmp_path)
    with idle_process(f"--user-data-dir={folder}9/profile") as neighbour:
        sweep(tmp_path)
        assert neighbour.poll() is None


@pytest.mark.parametrize("name", ["pagemill-worker-", "pagemill-worker-abc", "pagemill-worker-1-x", "elsewhere"])
def test_what_is_not_a_workers_folder_is_left_alone(tmp_path: Path, name: str) -> None:
    """A name that does not tell its owner is nobody's to judge; and a file is no folder."""
    (tmp_path / name).mkdir()
    (tmp_path / "pagemill-worker-999999999-1").touch()
    assert sweep(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 2
