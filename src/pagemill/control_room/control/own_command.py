"""Runs a `pagemill` command as a process of its own, for clients of the control API whose request needs a browser.

So the API's process needs no browser and does not grow, and a visit that hangs ends with its process. Owns that
process. Must not know what the command does.
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
"""The beginning of the line with a command's error."""
_CRASHES = "Traceback "
"""The first line of a traceback, that is, of an unexpected error."""


class OwnCommand:
    """One command. Its caller must not run it twice at the same time."""

    def __init__(self, name: str, doing: str, timeout_s: float, command: Sequence[str] = COMMAND) -> None:
        """
        Args:
            name: the command's name.
            doing: what the command does, for messages.
            timeout_s: the time limit, including the start of the command's browser.
            command: the program that has this command.
        """
        self._name = name
        self._doing = doing
        self._timeout_s = timeout_s
        self._command = tuple(command)
        self._closing = threading.Event()

    def run(self, words: Sequence[str], look: Callable[[str], object] | None = None) -> str:
        """Runs the command and returns its output, if it ends with 0, or with 1 and without an error message. The
        output of an unexpected end is logged.

        Args:
            words: the arguments after the command's name.
            look: called a few times a second with the beginning of the output so far.

        Raises:
            UsageError: the command reported wrong arguments.
            VisitFailed: a page could not be read; the message says why.
            DeadlineExceeded: it took too long and was ended.
            ServiceUnavailable: Chromium is missing or does not start, or this process ends.
        """
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
            code = self._run([*self._command, self._name, *words], said, told, look)
            return self._outcome(code, _read(said, _MOST_BYTES + 1), _read(told, _MOST_SAID, from_end=True))

    def close(self) -> None:
        """Makes a running command end soon."""
        self._closing.set()

    def _run(self, words: Sequence[str], said: IO[bytes], told: IO[bytes], look: Callable[[str], object] | None) -> int:
        # The command does not need the secret that signs tokens, so it does not get it.
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
                # `pread`, because both processes share the file's offset, and the command writes there.
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
    """Sends SIGINT, so that it closes its browser, and later SIGKILL; the browser then ends by itself."""
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
