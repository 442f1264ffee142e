"""A Redis that a chaos run can freeze, kill and bring back: set up as the embedded one, on files of its own.

The embedded server belongs to whoever uses it and is started by the next one who comes; here the run decides when.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import redis

from pagemill.broker.server_program import server_command

_START_S = 30.0
_POLL_S = 0.05


class RedisServer:
    """One server on a Unix socket; every write is appended to a file, which is synced every second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A socket's path may have 107 bytes; a test's folder is longer.
        self._socket_folder = Path(tempfile.mkdtemp(prefix="chaos-redis-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For PAGEMILL_REDIS_URL."""
        return f"unix://{self._socket_folder / 'redis.sock'}"

    @property
    def pid(self) -> int | None:
        """The server's process id, `None` while there is none."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._close()

    def start(self) -> None:
        """Starts it on what its files hold, and waits until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = server_command(self._folder, self._socket_folder / "redis.sock", self._folder / "redis.log")
        self._process = subprocess.Popen([*command, "--daemonize", "no"], stdin=subprocess.DEVNULL)
        deadline_s = time.monotonic() + _START_S
        with contextlib.closing(redis.Redis.from_url(self.url, socket_timeout=1.0)) as client:
            while True:
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                if self._process.poll() is not None or time.monotonic() > deadline_s:
                    raise RuntimeError(f"Redis did not start; see {self._folder / 'redis.log'}")
                time.sleep(_POLL_S)

    def freeze(self) -> None:
        """It neither answers nor refuses."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """It is gone at once, without a last write."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)

    def _close(self) -> None:
        self.kill()
        shutil.rmtree(self._socket_folder, ignore_errors=True)
