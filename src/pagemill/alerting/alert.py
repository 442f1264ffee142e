"""One alert: the value that the desk, the history and the channels pass on, and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

_TRENDS = frozenset({"leak"})
"""Names of the guard's alerts that predict trouble; the others report it."""


GRAVE = ("critical", "emergency")
"""Levels that need somebody at once."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that was sent."""

    name: str
    """What it is about, such as `leak` or a rule's name; one of a small fixed set."""
    level: str
    """`info`, `warning`, `critical` or `emergency`."""
    message: str
    worker: str
    """The process that raised it or that it is about; empty if it is about a platform."""
    at: datetime
    scope: str = ""
    """A platform or role. Alerts with the same name but another scope are different alerts."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    """Unique. All channels send the same id, also if one of them sends the alert twice."""
    kind: str = "performance"
    """`performance`, `critical` or `predictive`; `run` for notices about runs."""
    channels: tuple[str, ...] | None = None
    """The channels that get it; `None` for all of them."""
    title: str = ""
    """The heading of a message, if it is not the name."""
    details: tuple[str, ...] = ()
    """Extra lines for messages to people; the log does not have them."""

    def goes_to(self, channel: str) -> bool:
        """Whether that channel gets this alert."""
        return self.channels is None or channel in self.channels


def alert_kind_of(name: str, level: str) -> str:
    """The kind of an alert that no rule raised."""
    if name in _TRENDS:
        return "predictive"
    return "performance" if level == "warning" else "critical"


def encode(alert: Alert) -> str:
    """The alert as JSON; values that JSON cannot hold become text."""
    told = {each.name: getattr(alert, each.name) for each in fields(alert)} | {"at": alert.at.isoformat()}
    return json.dumps(told, default=str)


def decode(text: bytes | str) -> Alert:
    """The alert that this JSON holds.

    Raises:
        ValueError: this is not an alert.
    """
    # During a rolling update, newer workers send fields that this version does not know.
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
