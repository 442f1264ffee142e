"""Locks between processes that the kernel releases when the holder dies, however it dies.

Owns `flock`. A lock belongs to the open file, so a forked child that inherits the file holds the lock, too. That is why
`release` only closes the file: unlocking would release the lock for the child as well.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from pagemill.errors import DeadlineExceeded

_POLL_S = 0.02


class FileLock:
    """One process' handle of one lock file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The open file, for a child process that is to hold the lock, too."""
        assert self._descriptor is not None
        return self._descriptor

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Takes the lock if it is free; whether it was."""
        # `os.open` sets close-on-exec, so programs that are started do not inherit the lock.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def acquire(self, timeout_s: float, *, shared: bool = False) -> None:
        """Takes the lock, and waits for it if necessary.

        Raises:
            DeadlineExceeded: another process held it for `timeout_s`.
        """
        give_up_at = time.monotonic() + timeout_s
        while not self.try_acquire(shared=shared):
            if time.monotonic() >= give_up_at:
                raise DeadlineExceeded(f"waiting for the lock {self._path}", timeout_s)
            time.sleep(_POLL_S)

    def release(self) -> None:
        """Releases the lock; does nothing if it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
