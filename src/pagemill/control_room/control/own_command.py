"""Runs a command of `pagemill` that needs a browser for whoever asks the control API: in a process of its own.

So the API's own process needs no browser and does not grow, and a visit that hangs ends with its process. Owns that
process. Must not know what the command does, or what comes of it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

from pagemill.errors import DeadlineExceeded, ServiceUnavailable, UsageError, VisitFailed
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")

COMMAND = (sys.executable, "-m", "pagemill")
_END_S = 10.0
_KILLED_S = 5.0
_LOOK_S = 0.25
_MOST_BYTES = 1024 * 1024
_MOST_SAID = 4000
_LOOKED_AT_BYTES = 4096
_SPEAKS = "pagemill: "
"""How the line begins that a command ends with."""
_CRASHES = "Traceback "
"""How the first line begins of one that was not foreseen."""


class OwnCommand:
    """One command; its caller runs it once at a time."""

    def __init__(self, name: str, doing: str, timeout_s: float, command: Sequence[str] = COMMAND) -> None:
        """
        Args:
            name: the command's.
            doing: what it does, for people.
            timeout_s: how long it may take, from the start of its browser to the end.
            command: what it is a command of.
        """
        self._name = name
        self._doing = doing
        self._timeout_s = timeout_s
        self._command = tuple(command)
        self._closing = threading.Event()

    def run(self, words: Sequence[str], look: Callable[[str], object] | None = None) -> str:
        """What it prints when it ends with 0, or with 1 and no error of its own. What ends in a way that nobody has
        foreseen is logged, with what it said.

        Args:
            words: behind the command's name.
            look: is shown the beginning of what it has printed, a few times a second while it runs.

        Raises:
            UsageError: it cannot do that.
            VisitFailed: a page could not be read; the message says why.
            DeadlineExceeded: it took too long, and was ended.
            ServiceUnavailable: there is no Chromium here, it does not start, or this process ends.
        """
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
            code = self._run([*self._command, self._name, *words], said, told, look)
            return self._outcome(code, _read(said, _MOST_BYTES + 1), _read(told, _MOST_SAID, from_end=True))

    def close(self) -> None:
        """Has what runs end soon."""
        self._closing.set()

    def _run(self, words: Sequence[str], said: IO[bytes], told: IO[bytes], look: Callable[[str], object] | None) -> int:
        # What it starts inherits a part of this only; the secret that signs tokens is of no use to it.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_API_SECRET")}
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=told, env=environment)
        try:
            return self._wait(process, said, look)
        finally:
            _end(process)

    def _wait(self, process: subprocess.Popen[bytes], said: IO[bytes], look: Callable[[str], object] | None) -> int:
        until_s = time.monotonic() + self._timeout_s
        while time.monotonic() < until_s:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_S)
            if self._closing.is_set():
                raise ServiceUnavailable(f"the API ends, and with it {self._doing}: try again")
            if look is not None:
                # Where the process writes on is the same for both of us, and must stay where it is.
                look(os.pread(said.fileno(), _LOOKED_AT_BYTES, 0).decode("utf-8", "replace"))
        raise DeadlineExceeded(self._doing, self._timeout_s)

    def _outcome(self, code: int, said: str, told: str) -> str:
        if len(said) > _MOST_BYTES:
            raise VisitFailed(
                f"what was read is longer than {_MOST_BYTES // 1024} KB: run `pagemill {self._name}` by hand"
            )
        lines = told.splitlines()
        spoken = [number for number, line in enumerate(lines) if line.startswith(_SPEAKS)]
        has_crashed = any(line.startswith(_CRASHES) for line in lines)
        if code == 0 or (code == 1 and said and not spoken and not has_crashed):
            return said
        if not spoken:
            log.error(events.UNEXPECTED, where=f"pagemill {self._name}", code=code, error=told)
            raise ServiceUnavailable(self._unforeseen(code))
        why = "\n".join(lines[spoken[-1] :]).removeprefix(_SPEAKS).strip()
        if code == UsageError.exit_code:
            raise UsageError(why)
        if code == ServiceUnavailable.exit_code:
            raise ServiceUnavailable(why)
        raise VisitFailed(why)

    def _unforeseen(self, code: int) -> str:
        if code < 0:
            return f"`pagemill {self._name}` was ended by signal {-code}: is there enough memory for its browser?"
        return f"`pagemill {self._name}` ended with {code}: the log of the API says why"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupts it, so that it closes its browser; a browser whose process is killed ends by itself."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_KILLED_S)


def _read(file: IO[bytes], most: int, *, from_end: bool = False) -> str:
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - most) if from_end else 0)
    return file.read(most).decode("utf-8", "replace")
