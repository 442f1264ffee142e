"""What a lap at a polite pace comes to, in numbers. Pure: visits, readings and arrivals in, figures out.

**The steady part.** A contestant is judged from the moment when as many products have ended as there are lanes to the
moment when as many are left. Starting a browser, opening the first pages, and the end, when lanes run out of products
one by one, are left out. Both moments are results, so the rate is what ended after the first of them, over the seconds
between. At most a quarter of the products is left out at each end. The largest sum of memory is that of the whole
course: whoever needs more at the start needs a larger machine.

**Lateness.** A lane's next visit is due when its wait after the former one is over. From outside nobody knows the
lanes, and need not: of one shop, the visit that arrives as number `k + lanes` is taken for the successor of the one
that ended as number `k`. Whichever lane made which, the sum of the times between is the same, so the mean of what they
exceed the mean wait by is exact, but for the luck of the draw. Single times are not: only what exceeds the longest wait
is late for sure, and its 99th percentile a lower bound. For pagemill its own metric tells more, where there is one. A
shop's first visits follow on none: that a shop waits to be begun at all, the rate alone tells. Who keeps a rate and not
lanes does not wait for a visit's end: its mean falls below 0 by what its visits last longer than `VISIT_S`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.meter import Course
from benchmarks.race import Visited

VISIT_S = 0.1
"""What a visit is taken to last where a pace is turned into a rate; one of an idle machine lasts 0.06 to 0.1 s."""
_MB_PER_GB = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be visited, and at which pace."""

    shops: int
    lanes: int = 4
    """For each shop."""
    products: int = 150
    """Of each shop: some 135 s of visits at the pace."""
    wait_ms: tuple[int, int] = (3000, 4000)
    """Between two visits of a lane; drawn evenly."""
    leak_kb: int = 0
    """What each page leaks, see docs/storefront.md."""

    @property
    def mean_wait_s(self) -> float:
        """Between two visits of a lane."""
        return sum(self.wait_ms) / 2000

    @property
    def per_minute(self) -> float:
        """Visits of one shop: of each lane one in the mean wait and the visit itself."""
        return 60 * self.lanes / (self.mean_wait_s + VISIT_S)

    @property
    def pace_per_s(self) -> float:
        """Visits of all shops together, when no turn is late."""
        return self.shops * self.per_minute / 60


@dataclass(frozen=True, slots=True)
class Lap:
    """What one contestant did in one case, in its steady part."""

    products_per_s: float
    pss_mb: float
    """Median."""
    most_pss_mb: float
    """Of the whole course."""
    cpu_ms: float
    """Per product, of all its processes."""
    late_s: float
    """Mean; what a visit came later than it was due."""
    too_late_s: float
    """99th percentile of what is late for sure."""
    own_p50_s: float | None
    """Lateness as pagemill itself tells it; `None` where nobody does."""
    own_p99_s: float | None
    complete: float
    """Share of the products, of the whole course."""
    begin: float
    """Of the steady part, in seconds since the epoch."""
    seconds: float

    @property
    def per_gb(self) -> float:
        """Products per second for each GB of the median."""
        return self.products_per_s / (self.pss_mb / _MB_PER_GB)


@dataclass(frozen=True, slots=True)
class Failure:
    """A lap that came to nothing."""

    reason: str


def lap_of(
    case: Case,
    visits: Sequence[Visited],
    course: Course,
    arrivals: Mapping[str, float],
    shop_of: Mapping[str, int],
    late_buckets: Callable[[float, float], Mapping[float, float]],
) -> Lap:
    """Sums a lap up.

    Args:
        case: what was to be done.
        visits: what the contestant has noted.
        course: what its processes took.
        arrivals: by product, when its document was asked for.
        shop_of: the shop of every product that was asked for.
        late_buckets: of pagemill's own histogram between two moments: upper bound in seconds to how many were not above
            it; or nothing.

    Raises:
        ValueError: there are too few visits to speak of a rate.
    """
    begin, end, count = steady([visit.finished for visit in visits], case.shops * case.lanes)
    late_s, too_late_s = lateness(case, visits, arrivals, shop_of, begin, end)
    own = late_buckets(begin, end)
    memory = [mb for at, mb in course.pss if begin <= at <= end] or [course.pss_mb_at(end)]
    complete = {visit.product_id for visit in visits if visit.complete}
    return Lap(
        products_per_s=count / (end - begin),
        pss_mb=statistics.median(memory),
        most_pss_mb=course.peak_pss_mb(),
        cpu_ms=1000 * course.cpu_s_between(begin, end) / count,
        late_s=late_s,
        too_late_s=too_late_s,
        own_p50_s=quantile(own, 0.5),
        own_p99_s=quantile(own, 0.99),
        complete=len(complete & shop_of.keys()) / len(shop_of),
        begin=begin,
        seconds=end - begin,
    )


def steady(finished: Sequence[float], lanes: int) -> tuple[float, float, int]:
    """Begin and end of the steady part, and how many products ended after its begin.

    Raises:
        ValueError: it has no length.
    """
    left_out = min(lanes, len(finished) // 4)
    # All lanes begin together, so their visits come in bunches: from the end of one bunch to the end of another.
    inner = sorted(finished)[max(0, left_out - 1) : len(finished) - left_out]
    if len(inner) < 2 or inner[0] == inner[-1]:
        raise ValueError(f"{len(finished)} visits are too few to speak of a rate")
    return inner[0], inner[-1], len(inner) - 1


def lateness(
    case: Case,
    visits: Sequence[Visited],
    arrivals: Mapping[str, float],
    shop_of: Mapping[str, int],
    begin: float,
    end: float,
) -> tuple[float, float]:
    """Mean lateness, and the 99th percentile of what is late for sure, of the visits that arrived in between."""
    between: list[float] = []
    for shop in range(case.shops):
        ended = sorted(visit.finished for visit in visits if shop_of.get(visit.product_id) == shop)
        arrived = sorted(at for product, at in arrivals.items() if shop_of.get(product) == shop)
        pairs = zip(ended, arrived[case.lanes :], strict=False)  # nothing follows on the last visits
        between += [arrival - before for before, arrival in pairs if begin <= arrival <= end]
    if not between:
        return 0.0, 0.0
    too_late = sorted(max(0.0, wait_s - case.wait_ms[1] / 1000) for wait_s in between)
    return statistics.fmean(between) - case.mean_wait_s, too_late[min(len(too_late) - 1, int(0.99 * len(too_late)))]


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """Of a histogram, taken to be even within each bucket; its last bound for what is above it, `None` of nothing."""
    rising = sorted(buckets.items())
    if not rising or not rising[-1][1]:
        return None
    wanted = share * rising[-1][1]
    for (low, below), (high, until) in pairwise([(0.0, 0.0), *rising]):
        if until >= wanted:
            if math.isinf(high):
                return low
            return low + (high - low) * (wanted - below) / (until - below)
    raise AssertionError("the last bucket holds all")
