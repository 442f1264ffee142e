"""One alert: the value that desk, history and channels hand to each other, and its way in and out of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

_TRENDS = frozenset({"leak"})
"""The guard's alerts that foresee trouble instead of reporting it."""


GRAVE = ("critical", "emergency")
"""Levels of what somebody should see to at once."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that went out."""

    name: str
    """What it is about, such as `leak` or a rule's name: few and fixed."""
    level: str
    """`info`, `warning`, `critical` or `emergency`."""
    message: str
    worker: str
    """Who raised it, or whom it is about; empty where a platform is."""
    at: datetime
    scope: str = ""
    """What apart from the name makes it another alert, such as a platform."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    """Unique; the same in every channel, also when one tells it twice."""
    kind: str = "performance"
    """`performance`, `critical` or `predictive`; `run` for what came of runs."""
    channels: tuple[str, ...] | None = None
    """Where it goes; `None` for everywhere."""
    title: str = ""
    """What a message is headed by in place of the name."""
    details: tuple[str, ...] = ()
    """Lines that only messages to people have."""

    def goes_to(self, channel: str) -> bool:
        """Whether that channel is to have it."""
        return self.channels is None or channel in self.channels


def alert_kind_of(name: str, level: str) -> str:
    """The kind of an alert that no rule raised."""
    if name in _TRENDS:
        return "predictive"
    return "performance" if level == "warning" else "critical"


def encode(alert: Alert) -> str:
    """As JSON; facts that JSON does not know become text."""
    told = {each.name: getattr(alert, each.name) for each in fields(alert)} | {"at": alert.at.isoformat()}
    return json.dumps(told, default=str)


def decode(text: bytes | str) -> Alert:
    """Back from JSON.

    Raises:
        ValueError: it is no alert.
    """
    # While a fleet is renewed step by step, newer workers tell more than is known here yet.
    known = {each.name for each in fields(Alert)}
    try:
        told = {name: value for name, value in json.loads(text).items() if name in known}
        told["at"] = datetime.fromisoformat(told["at"])
        for name in ("channels", "details"):
            if told.get(name) is not None:
                told[name] = tuple(told[name])
        return Alert(**told)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an alert: {error}") from error
