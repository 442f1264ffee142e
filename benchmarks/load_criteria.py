"""What the control API must keep to under load, and whether it did. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_MEAN_MS = 500.0
MOST_MS = 2000.0
LEAST_PER_S = 100.0
MOST_ERRORS = 0.01
LEAST_HITS = 0.9


@dataclass(frozen=True, slots=True)
class Figures:
    """What a load came to."""

    requests: int
    failures: int
    mean_ms: float
    longest_ms: float
    per_s: float
    hits: float
    """Share of lookups whose answer was there, 0 to 1."""

    @property
    def errors(self) -> float:
        """Share of the requests that failed."""
        return self.failures / self.requests if self.requests else 1.0


def figures_of(stats: Sequence[Mapping[str, Any]], seconds: float, hits: int, misses: int) -> Figures:
    """Sums up.

    Args:
        stats: locust's, one for each kind of request.
        seconds: how long the load lasted.
        hits: lookups meanwhile whose answer was there.
        misses: and those for which somebody had to wait.
    """
    requests = sum(int(each["num_requests"]) for each in stats)
    total_ms = sum(float(each["total_response_time"]) for each in stats)
    return Figures(
        requests=requests,
        failures=sum(int(each["num_failures"]) for each in stats),
        mean_ms=total_ms / requests if requests else 0.0,
        longest_ms=max((float(each["max_response_time"]) for each in stats), default=0.0),
        per_s=requests / seconds,
        hits=hits / (hits + misses) if hits + misses else 0.0,
    )


def lines(found: Figures) -> list[tuple[str, str, str, bool]]:
    """Each criterion: its name, what was found, what was asked, and whether that was kept."""
    return [
        ("mean response time", f"{found.mean_ms:,.1f} ms", f"< {MOST_MEAN_MS:g} ms", found.mean_ms < MOST_MEAN_MS),
        ("longest response time", f"{found.longest_ms:,.0f} ms", f"< {MOST_MS:g} ms", found.longest_ms < MOST_MS),
        ("requests per second", f"{found.per_s:,.1f}", f"> {LEAST_PER_S:g}", found.per_s > LEAST_PER_S),
        ("errors", f"{found.errors:.2%}", f"< {MOST_ERRORS:.0%}", found.errors < MOST_ERRORS),
        ("cache hits", f"{found.hits:.1%}", f"> {LEAST_HITS:.0%}", found.hits > LEAST_HITS),
    ]


def misses(found: Figures) -> list[str]:
    """The criteria that were not kept, in words; none when all is well. Without a single request none is kept."""
    if not found.requests:
        return ["not one request was made"]
    return [f"{name}: {value}, asked is {asked}" for name, value, asked, kept in lines(found) if not kept]
