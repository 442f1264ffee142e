"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pagemill.broker.file_lock import FileLock
from pagemill.errors import DeadlineExceeded


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    """Until it is given back; giving back twice does nothing."""
    first, second = FileLock(tmp_path / "l"), FileLock(tmp_path / "l")

    assert first.try_acquire()
    assert not second.try_acquire()
    with pytest.raises(DeadlineExceeded, match="waiting for the lock"):
        second.acquire(0.05)
    first.release()
    first.release()
    second.acquire(1)
    second.release()


def test_sharers_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    """The last sharer to leave finds it free."""
    first, second, alone = (FileLock(tmp_path / "l") for _ in range(3))
    assert first.try_acquire(shared=True)
    assert second.try_acquire(shared=True)

    first.release()
    assert not alone.try_acquire()
    second.release()
    assert alone.try_acquire()
    alone.release()


def test_a_holder_that_is_killed_gives_it_back(tmp_path: Path) -> None:
    """kill -9 leaves nothing to clean up."""
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib; from pagemill.broker.file_lock import FileLock;"
            "lock = FileLock(pathlib.Path(sys.argv[1])); lock.acquire(1); print('held', flush=True); sys.stdin.read()",
            str(tmp_path / "l"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    lock = FileLock(tmp_path / "l")
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert not lock.try_acquire()
        holder.kill()
        holder.wait(10)

    assert lock.try_acquire()
    lock.release()
