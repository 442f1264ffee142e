"""Tries one product for whoever asks the control API: `pagemill try` in a process of its own, one at a time.

So the API's own process needs no browser and does not grow, and a visit that hangs ends with its process. Owns that
process. Must not know what is tried, or what comes of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from pagemill.errors import DeadlineExceeded, PagemillError, ServiceUnavailable, UsageError, VisitFailed
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")

TIMEOUT_S = 120.0
_END_S = 10.0
_KILLED_S = 5.0
_LOOK_S = 0.25
_MOST_BYTES = 1024 * 1024
_MOST_SAID = 4000
_SPEAKS = "pagemill: "
"""How the line begins that a command ends with."""


class TrialUnderWay(PagemillError):
    """Another product is being tried."""

    retryable = True


class Trial:
    """The one of this process. May be used from several threads."""

    def __init__(
        self, timeout_s: float = TIMEOUT_S, command: Sequence[str] = (sys.executable, "-m", "pagemill")
    ) -> None:
        """
        Args:
            timeout_s: how long one may take, from the start of its browser to the end.
            command: what `try` is a command of.
        """
        self._timeout_s = timeout_s
        self._command = tuple(command)
        self._one = threading.Lock()
        self._closing = threading.Event()

    def run(self, platform: str, url: str, product_id: str = "") -> Mapping[str, Any]:
        """Visits the product and returns what `pagemill try --json` says of it.

        Args:
            platform: a configured one.
            url: as it stands in the catalogue; on one of the platform's hosts, as everywhere.
            product_id: its id in the catalogue, where the platform's templates need it.

        Raises:
            TrialUnderWay: another one is.
            UsageError: the platform may not visit this URL.
            VisitFailed: it could not be read; the message says why.
            DeadlineExceeded: it took too long.
            ServiceUnavailable: there is no Chromium here, or it does not start.
        """
        if not self._one.acquire(blocking=False):
            raise TrialUnderWay("another product is being tried just now: try again in some seconds")
        try:
            named = ["--id", product_id] if product_id else []
            words = [*self._command, "try", "--platform", platform, "--json", *named, "--", url]
            log.info(events.TRIED, platform=platform)
            with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
                code = self._run(words, said, told)
                return _outcome(code, _read(said, _MOST_BYTES + 1), _read(told, _MOST_SAID, from_end=True))
        finally:
            self._one.release()

    def close(self, timeout_s: float) -> None:
        """Ends the one that is under way, and waits for that."""
        self._closing.set()
        if self._one.acquire(timeout=timeout_s):
            self._one.release()

    def _run(self, words: Sequence[str], said: IO[bytes], told: IO[bytes]) -> int:
        """Its exit code.

        Raises:
            DeadlineExceeded: it took too long, and was ended.
            ServiceUnavailable: so it was because this process ends.
        """
        # What it starts inherits a part of this only; the secret that signs tokens is of no use to it.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_API_SECRET")}
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=told, env=environment)
        try:
            return self._wait(process)
        finally:
            _end(process)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        until_s = time.monotonic() + self._timeout_s
        while time.monotonic() < until_s:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_S)
            if self._closing.is_set():
                raise ServiceUnavailable("the API ends: try the product again")
        raise DeadlineExceeded("trying the product", self._timeout_s)


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


def _outcome(code: int, said: str, told: str) -> Mapping[str, Any]:
    if len(said) > _MOST_BYTES:
        raise VisitFailed(f"what was read is longer than {_MOST_BYTES // 1024} KB: run `pagemill try` by hand")
    if code in (0, 1) and said:
        tried = json.loads(said)
        assert isinstance(tried, dict)
        return tried
    why = told.rpartition(_SPEAKS)[2].strip() if _SPEAKS in told else f"`pagemill try` ended with {code}"
    if code == UsageError.exit_code:
        raise UsageError(why)
    if code == ServiceUnavailable.exit_code:
        raise ServiceUnavailable(why)
    raise VisitFailed(why)
