"""A file that any number of processes of one machine append to and rotate, without losing or mixing lines.

Each text is a single `write` at the file's end, which the kernel does not interrupt. The process that finds the file
too long renames it, under a lock that nobody waits for. The others notice that the path has a new file, and open that.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

_MODE = 0o640


class SharedFile:
    """One process' handle of the file. To be used by one thread at a time."""

    def __init__(self, path: Path, most_bytes: int, kept: int) -> None:
        """
        Args:
            path: the file. Older files are called `path.1` (the latest), `path.2` and so on. Its folder is created if
                needed.
            most_bytes: the size at which the file is renamed.
            kept: how many older files are kept.
        """
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._descriptor: int | None = None
        self._line_is_cut = False

    def append(self, text: bytes) -> None:
        """Appends a text, which must end with a line end.

        Raises:
            OSError: the text was not written, or only a part of it.
        """
        descriptor = self._open()
        if self._line_is_cut:
            text = b"\n" + text
        written = os.write(descriptor, text)
        self._line_is_cut = written < len(text)
        if self._line_is_cut:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        if os.fstat(descriptor).st_size >= self._most_bytes:
            self._rotate()

    def close(self) -> None:
        """Closes the file. It is opened again by the next use."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int:
        """The descriptor of the file that is at the path now."""
        if self._descriptor is not None and self._stands_there(self._descriptor):
            return self._descriptor
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
        return self._descriptor

    def _stands_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._path.stat().st_size >= self._most_bytes:
                for number in range(self._kept, 0, -1):
                    older = self._aside(number - 1)
                    if older.exists():
                        older.replace(self._aside(number))
        except (BlockingIOError, FileNotFoundError):
            return  # another process is renaming it, or has just done so
        finally:
            os.close(lock)

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path
