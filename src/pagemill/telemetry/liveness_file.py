"""A file that a long-lived process touches while it makes progress, so that others can see that it lives.

The file's name is the process id. A container's health check compares the file's age (`docker/health.sh`), without
Python.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

_MODE = 0o700


def pulse_folder() -> Path:
    """The folder with the files of this user's processes."""
    return Path(tempfile.gettempdir()) / f"pagemill-pulse-{os.getuid()}"


class LivenessFile:
    """This process' file, for a `with` block. A full or read-only disk raises no error."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or pulse_folder()) / str(os.getpid())

    def beat(self) -> None:
        """Records that there was progress."""
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=_MODE, exist_ok=True)
            self._file.touch()

    def __enter__(self) -> Self:
        self.beat()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)
            self._file.parent.rmdir()
