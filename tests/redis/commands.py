"""`pagemill` commands in processes of their own, in one folder with its configuration, on the session's Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from pagemill.fleet.processes import ProcessSnapshot, read_processes

PLATFORM = "platform: shop\nhosts: [shop.test]\nextract: {fields: {name: h1}}\n"


class Office:
    """A folder, and the commands that run in it."""

    def __init__(self, folder: Path, url: str, client: redis.Redis) -> None:
        self.folder = folder
        self.client = client
        self._url = url
        (folder / "config" / "platforms").mkdir(parents=True)
        (folder / "config" / "platforms" / "shop.yaml").write_text(PLATFORM)

    @contextmanager
    def running(self, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """`pagemill ARGUMENTS`, whose log is named; killed at the end of the block if it has not ended."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pagemill", *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def environment(self) -> dict[str, str]:
        """That of its commands."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PAGEMILL_")}
        return kept | {"PAGEMILL_REDIS_URL": self._url, "PAGEMILL_LOG_FORMAT": "json"}

    def log(self, name: str) -> Path:
        """What that command has said."""
        return self.folder / f"{name}.log"

    def events(self, name: str, event: str) -> list[dict[str, Any]]:
        """What that command has logged under that event."""
        records = (json.loads(line) for line in self.log(name).read_text().splitlines() if line.startswith("{"))
        return [record for record in records if record["event"] == event]

    def of_process(self, pid: int) -> ProcessSnapshot | None:
        """What that process last said of itself."""
        found = [process for process in read_processes(self.client) if process.pid == pid]
        return found[0] if found else None

    def reported(self, process: subprocess.Popen[bytes], before: str = "") -> ProcessSnapshot:
        """What that process says of itself, once it does, under another name than before."""

        def is_there() -> bool:
            assert process.poll() is None, "it has ended"
            found = self.of_process(process.pid)
            return found is not None and found.name != before

        eventually(is_there, 60, "a report")
        found = self.of_process(process.pid)
        assert found is not None
        return found


def eventually(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    """Waits for a condition, and fails naming it."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {timeout_s} s for {what}"
        time.sleep(0.02)
