"""How long products take, computed from the workers' counts since their start. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pagemill.control_room.figures.quantile import quantile
from pagemill.fleet.tally import BUCKETS_S, PlatformTally


@dataclass(frozen=True, slots=True)
class ItemTimes:
    """Times of visited products, in milliseconds; 0 if none was visited."""

    visited: int = 0
    mean_ms: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    buckets: tuple[int, ...] = (0,) * (len(BUCKETS_S) + 1)
    """The number of products per class: up to each bound of `BUCKETS_S`, and in the last class above all bounds."""


def item_times(tallies: Iterable[PlatformTally]) -> ItemTimes:
    """The times of these tallies together."""
    found = list(tallies)
    visited = sum(tally.visited for tally in found)
    if visited <= 0:
        return ItemTimes()
    buckets = tuple(sum(counts) for counts in zip(*(tally.buckets for tally in found), strict=True))
    return ItemTimes(
        visited=visited,
        mean_ms=round(1000 * sum(tally.item_s for tally in found) / visited, 1),
        p50_ms=quantile_ms(buckets, 0.5),
        p95_ms=quantile_ms(buckets, 0.95),
        p99_ms=quantile_ms(buckets, 0.99),
        buckets=buckets,
    )


def quantile_ms(buckets: Sequence[int], share: float) -> float:
    """The time that this share of the products did not exceed, in milliseconds; at most the last bound."""
    highest_s = BUCKETS_S[-1]
    classes = zip((0.0, *BUCKETS_S), (*BUCKETS_S, highest_s), buckets, strict=True)
    return round(1000 * quantile(classes, share), 1)
