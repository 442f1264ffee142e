"""Runs `pagemill try` for clients of the control API, one at a time."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from pagemill.control_room.control.own_command import COMMAND, OwnCommand
from pagemill.errors import TrialUnderWay
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")

TIMEOUT_S = 120.0


class ProductTrial:
    """The trials of this process. May be used from several threads."""

    def __init__(self, timeout_s: float = TIMEOUT_S, command: Sequence[str] = COMMAND) -> None:
        """
        Args:
            timeout_s: the time limit of one trial, including the start of its browser.
            command: the program that has the command `try`.
        """
        self._try = OwnCommand("try", "trying the product", timeout_s, command)
        self._one = threading.Lock()

    def run(self, platform: str, url: str, product_id: str = "") -> Mapping[str, Any]:
        """Visits the product and returns the output of `pagemill try --json`.

        Args:
            platform: the name of a configured platform.
            url: the product's URL as in the catalogue; it must be on one of the platform's hosts.
            product_id: its id in the catalogue, needed if the platform's templates use it.

        Raises:
            TrialUnderWay: another trial is running.
            UsageError: the platform may not visit this URL.
            VisitFailed: it could not be read; the message says why.
            DeadlineExceeded: it took too long.
            ServiceUnavailable: Chromium is missing or does not start.
        """
        if not self._one.acquire(blocking=False):
            raise TrialUnderWay
        try:
            named = ["--id", product_id] if product_id else []
            log.info(events.TRIED, platform=platform)
            tried = json.loads(self._try.run(["--platform", platform, "--json", *named, "--", url]))
            assert isinstance(tried, dict)
            return tried
        finally:
            self._one.release()

    def close(self, timeout_s: float) -> None:
        """Ends the running trial and waits up to `timeout_s` for that."""
        self._try.close()
        if self._one.acquire(timeout=timeout_s):
            self._one.release()
