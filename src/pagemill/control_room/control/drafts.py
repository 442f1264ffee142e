"""Runs `pagemill draft` for clients of the control API, one at a time.

Writes no file: the last few drafts are kept in memory for an hour. Must not know how a draft is made.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any

from pagemill.config.platform import Platform
from pagemill.config.private_addresses import address_of, is_internal, is_private
from pagemill.config.web_address import fault_of, read_web_address
from pagemill.control_room.control.own_command import COMMAND, OwnCommand
from pagemill.drafting.told import ToldDraft, from_json
from pagemill.errors import DraftUnderWay, PagemillError, ServiceUnavailable
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")

TIMEOUT_S = 180.0
KEPT_S = 3600.0
MOST_KEPT = 8


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """The platform and pages to draft from; see `pagemill draft`."""

    platform: str
    urls: Sequence[str]
    sold_out: Sequence[str] = ()
    off_sale: Sequence[str] = ()
    gone: Sequence[str] = ()
    expect: Mapping[str, Any] = field(default_factory=dict)
    device: str = ""
    locale: str = ""
    wait_ms: str = ""

    @property
    def pages(self) -> tuple[str, ...]:
        """All URLs."""
        return (*self.urls, *self.sold_out, *self.off_sale, *self.gone)

    def words(self) -> list[str]:
        """The command's arguments, built so that no value can be taken for an option."""
        said = [("device", self.device), ("locale", self.locale), ("wait-ms", self.wait_ms)]
        said += [("expect", json.dumps(dict(self.expect)) if self.expect else "")]
        said += [("sold-out", url) for url in self.sold_out]
        said += [("off-sale", url) for url in self.off_sale]
        said += [("gone", url) for url in self.gone]
        options = [f"--{name}={value}" for name, value in said if value]
        return ["--json", *options, "--", self.platform, *self.urls]


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """The progress of a draft. When it has ended, `told` or `error` is set."""

    id: str
    platform: str
    pages: int
    visited: int = 0
    told: ToldDraft | None = None
    error: PagemillError | None = None
    since_s: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the draft has ended."""
        return self.told is not None or self.error is not None


def refusal_of(url: str, configured: Mapping[str, Platform]) -> str:
    """Why the control API must not visit this page; empty if it may.

    A draft's hosts are those of its URLs, so nobody has approved them. An address in this network is allowed only if a
    configured platform lists it. If a public name leads to a private address, the visit itself finds out.
    """
    if fault := fault_of(url):
        return fault
    place = read_web_address(url)
    addresses = (address_of(text) for text in place.fixed_addresses)
    if not (is_internal(place.host) or any(one is not None and is_private(one) for one in addresses)):
        return ""
    if any(platform.host_rules().refusal(url) is None for platform in configured.values()):
        return ""
    remedy = "a configured platform must list it in hosts, or use `pagemill draft`"
    return f"host {place.host} is one of this network: {remedy}"


class Drafts:
    """The drafts of this process. May be used from several threads."""

    def __init__(
        self,
        timeout_s: float = TIMEOUT_S,
        command: Sequence[str] = COMMAND,
        *,
        kept_s: float = KEPT_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            timeout_s: the time limit of one draft, including the start of its browser.
            command: the program that has the command `draft`.
            kept_s: for how many seconds an ended draft is kept.
            now_s: monotonic seconds.
        """
        self._draft = OwnCommand("draft", "drafting the platform's file", timeout_s, command)
        self._kept_s = kept_s
        self._now_s = now_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, KeptDraft] = OrderedDict()
        self._thread: threading.Thread | None = None

    def begin(self, wanted: DraftRequest) -> KeptDraft:
        """Starts a draft and returns at once.

        Raises:
            DraftUnderWay: another draft is running.
        """
        with self._lock:
            if not all(kept.is_over for kept in self._kept.values()):
                raise DraftUnderWay
            self._forget_old()
            kept = KeptDraft(token_hex(8), wanted.platform, len(wanted.pages), since_s=self._now_s())
            self._kept[kept.id] = kept
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            self._thread = threading.Thread(target=self._run, args=(kept, wanted), name="draft", daemon=True)
            self._thread.start()
        log.info(events.DRAFTED, platform=wanted.platform, pages=kept.pages)
        return kept

    def find(self, draft: str) -> KeptDraft | None:
        """The progress of that draft; `None` if it is unknown or no longer kept."""
        with self._lock:
            self._forget_old()
            return self._kept.get(draft)

    def close(self, timeout_s: float) -> None:
        """Ends the running draft and waits up to `timeout_s` for that."""
        self._draft.close()
        if (thread := self._thread) is not None:
            thread.join(timeout_s)

    def _forget_old(self) -> None:
        old = [one.id for one in self._kept.values() if one.is_over and self._now_s() - one.since_s > self._kept_s]
        for draft in old:
            del self._kept[draft]

    def _run(self, kept: KeptDraft, wanted: DraftRequest) -> None:
        def look(said: str) -> None:
            self._put(kept, visited=_visited(said))

        try:
            told = from_json(self._draft.run(wanted.words(), look).rstrip("\n").rpartition("\n")[2])
        except PagemillError as error:
            self._put(kept, error=error)
        except Exception:
            # Without an error, the client would wait for ever.
            log.exception(events.UNEXPECTED, where="drafting a platform's file")
            self._put(kept, error=ServiceUnavailable("`pagemill draft` told nothing that is understood: see the log"))
        else:
            self._put(kept, told=told, visited=kept.pages)

    def _put(self, kept: KeptDraft, **changes: Any) -> None:
        with self._lock:
            self._kept[kept.id] = replace(self._kept[kept.id], since_s=self._now_s(), **changes)


def _visited(said: str) -> int:
    """The number of visited pages, counted by complete lines of output."""
    return sum(line.startswith('{"visited"') for line in said.split("\n")[:-1])
