"""The table of faults: what each does, which verdict is right after all retries, and whether a retry is right at all.

Owns names, meanings and amounts. `wire_faults` does those of HTTP, `page_faults` those of scripts. The query of any
product page asks for a fault: `?fault=slow&seconds=5`. The fault replaces the product's own state, so use it with an id
that is pinned to `ok`, as `catalogue` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pagemill.model import Verdict

AFTER_READY_MS = 300
"""How long a page stays right if its fault comes after its facts: long enough to read it in one step."""


@dataclass(frozen=True, slots=True)
class FaultAmount:
    """The one number that a fault takes: its name in the query, and its default."""

    name: str
    default: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a shop goes wrong.

    `right_verdict` is the one after all retries, for a product whose own state is `ok`. `also_right` are other verdicts
    that are right too on some machines. `may_retry` is false if another visit can only do the same harm.
    """

    kind: str
    what: str
    right_verdict: Verdict
    may_retry: bool
    also_right: frozenset[Verdict] = frozenset()
    amount: FaultAmount | None = None


_OK, _FAILED, _BLOCKED = Verdict.OK, Verdict.FAILED, Verdict.BLOCKED
_MAYBE_FAILED = frozenset({Verdict.FAILED})

WIRE_FAULTS = (
    Fault("status-500", "Answers 500 every time.", _FAILED, True),
    Fault("status-503", "Answers 503 every time.", _FAILED, True),
    Fault("retry-after", "Answers 429 with `Retry-After`.", _BLOCKED, True, amount=FaultAmount("seconds", 1, 3600)),
    Fault("hang", "Accepts the request and never sends a header.", _FAILED, True),
    Fault(
        "slow",
        "Sends the right page in ten pieces spread over the seconds.",
        _OK,
        True,
        amount=FaultAmount("seconds", 3, 120),
    ),
    Fault("half", "Closes the connection in mid-body, before the facts.", _FAILED, True),
    Fault("empty", "Answers 200 with an empty body.", _FAILED, True),
    Fault("garbage", "Answers 200 with random bytes that are said to be a PNG.", _FAILED, True),
    Fault("download", "Answers with an attachment instead of a page.", _FAILED, False),
    Fault("redirect-elsewhere", "Redirects (302) to another host.", _FAILED, False),
    Fault("redirect-loop", "Redirects (302) to itself.", _FAILED, True),
    Fault(
        "huge",
        "Sends a page as large as asked, with no facts in it.",
        _FAILED,
        True,
        amount=FaultAmount("mb", 50, 500),
    ),
    Fault(
        "flaky",
        "Answers 500 on the first visits of that product, then the right page.",
        _OK,
        True,
        amount=FaultAmount("visits", 1, 1000),
    ),
)

PAGE_FAULTS = (
    Fault("endless-script", "Runs `while (true)` before the facts are there.", _FAILED, True),
    Fault(
        "endless-script-late",
        f"Runs `while (true)` {AFTER_READY_MS} ms after the facts are there: the page is right, then stuck.",
        _OK,
        True,
        also_right=_MAYBE_FAILED,
    ),
    Fault("crash", "Crashes the renderer before the facts are there.", _FAILED, True),
    Fault(
        "crash-late",
        f"Crashes the renderer {AFTER_READY_MS} ms after the facts are there.",
        _OK,
        True,
        also_right=_MAYBE_FAILED,
    ),
    Fault("dialog", "Opens `alert`, `confirm` and `prompt`, and asks before it is left.", _OK, True),
    Fault("popup", "Opens three more windows.", _OK, True),
    Fault("print", "Asks to be printed.", _OK, True),
    Fault("script-elsewhere", "Sends the window to another host by script.", _FAILED, False),
    Fault("iframe-elsewhere", "Shows the right page with a frame of another host in it.", _OK, True),
    Fault(
        "eats-memory",
        "Fills the JS heap step by step, then shows the right page; "
        "`failed` where a limit of the container or the guard stops it first.",
        _OK,
        True,
        also_right=_MAYBE_FAILED,
        amount=FaultAmount("mb", 300, 3000),
    ),
    Fault("never-ready", "Shows the shop around the product; the facts and the ready sign never come.", _FAILED, True),
    Fault(
        "rename",
        f"Renames the classes and takes the facts away {AFTER_READY_MS} ms after they are there; "
        "`failed` for a reader that comes later than that.",
        _OK,
        True,
        also_right=_MAYBE_FAILED,
    ),
    Fault(
        "history-loop",
        "Replaces itself in the history and reloads, for ever, before the facts are there.",
        _FAILED,
        True,
    ),
)

FAULTS: Mapping[str, Fault] = MappingProxyType({fault.kind: fault for fault in (*WIRE_FAULTS, *PAGE_FAULTS)})
"""Every fault by its kind."""
