"""Who asks the control API what, and how often. Values only; `{run}` and `{worker}` stand for names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of user."""

    share: int
    """How many of them there are among all users, in proportion."""
    per_s: float
    """How many requests each of them makes in a second."""
    paths: Mapping[str, int]
    """What they ask for, with how often."""


_PERFORMANCE = "/api/performance"
WATCHER = Role(
    12,
    4,
    {
        f"{_PERFORMANCE}/metrics/current": 8,
        f"{_PERFORMANCE}/metrics/current?worker={{worker}}": 2,
        f"{_PERFORMANCE}/dashboard?history=false": 4,
        f"{_PERFORMANCE}/memory": 2,
        f"{_PERFORMANCE}/cache": 1,
        f"{_PERFORMANCE}/response-time": 1,
        f"{_PERFORMANCE}/alerts": 1,
        f"{_PERFORMANCE}/events": 1,
        "/memory/status": 2,
    },
)
"""A dashboard that is open: figures several times a second."""
OPERATOR = Role(
    2,
    2,
    {
        f"{_PERFORMANCE}/dashboard": 4,
        f"{_PERFORMANCE}/metrics/history?period=hourly": 4,
        f"{_PERFORMANCE}/metrics/history?period=daily": 4,
        f"{_PERFORMANCE}/metrics/history?period=weekly": 4,
        f"{_PERFORMANCE}/report": 1,
        f"{_PERFORMANCE}/report?run={{run}}": 1,
        f"{_PERFORMANCE}/report?run={{run}}&format=html": 1,
        "/memory/history?hours=6": 4,
        "/memory/stats": 4,
        "/api/v1/memory/stats": 4,
    },
)
"""Somebody who looks closer: curves of a week, statistics, reports."""
MACHINE = Role(1, 2, {"/metrics": 1, "/health": 2, f"{_PERFORMANCE}/health": 2})
"""Prometheus, and what balances load."""


def every_path(run: str, worker: str) -> Iterator[str]:
    """Each of them once."""
    for role in (WATCHER, OPERATOR, MACHINE):
        for path in role.paths:
            yield path.format(run=run, worker=worker)
