"""Sums up a stream of results. Pure, in one pass, in flat memory."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pagemill.control_room.figures.quantile import quantile
from pagemill.control_room.report.models import FieldDifferences, ProductLine, ReportedTimes, ResultFigures, Stretch
from pagemill.model import ItemResult, ResultOutline, Verdict

MOST_LINES = 20
_MOST_FIELDS = 50
_MOST_STRETCHES = 120
_BAD = frozenset({Verdict.FAILED, Verdict.BLOCKED})


def result_figures_of(
    results: Iterable[ItemResult | ResultOutline],
    begin: datetime | None = None,
    end: datetime | None = None,
    most: int | None = None,
) -> ResultFigures:
    """Sums up the results.

    Args:
        results: in any order.
        begin: earlier verdicts are skipped.
        end: verdicts from then on are skipped.
        most: how many results are read, skipped ones included; `complete` says whether that was enough.
    """
    sums = _Sums()
    complete = True
    for number, result in enumerate(results):
        if number == most:
            complete = False
            break
        if (begin is None or result.finished_at >= begin) and (end is None or result.finished_at < end):
            sums.add(result)
    return sums.figures(complete)


class Quantiles:
    """Counts durations in classes that are 2 percent wide: some hundred counts for any number of durations."""

    _RATIO = math.log(1.02)
    _LEAST_S = 0.001

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Counts one duration."""
        self._counts[math.ceil(math.log(max(seconds, self._LEAST_S) / self._LEAST_S) / self._RATIO)] += 1

    def at(self, share: float) -> float:
        """The seconds that this share (0 to 1) of the durations did not exceed; 0 without any."""
        classes = (
            (self._edge_s(place - 1), self._edge_s(place), self._counts[place]) for place in sorted(self._counts)
        )
        return round(quantile(classes, share), 3)

    def _edge_s(self, place: int) -> float:
        return self._LEAST_S * math.exp(place * self._RATIO)


class Stretches:
    """Counts times in stretches of equal length. The length grows with the whole span, so their number is bounded."""

    def __init__(self, most: int = _MOST_STRETCHES) -> None:
        self._most = most
        self._counts: Counter[int] = Counter()
        self._span_s = 15

    def add(self, at: datetime) -> None:
        """Counts one time."""
        place = int(at.timestamp()) // self._span_s
        if place in self._counts:
            self._counts[place] += 1
            return
        self._counts[place] = 1
        while max(self._counts) - min(self._counts) >= self._most:
            self._span_s *= 2
            wider: Counter[int] = Counter()
            for place, count in self._counts.items():
                wider[place // 2] += count
            self._counts = wider

    def read(self) -> tuple[Stretch, ...]:
        """All stretches from the first to the last, including empty ones."""
        if not self._counts:
            return ()
        return tuple(
            Stretch(
                at=datetime.fromtimestamp(place * self._span_s, UTC), span_s=self._span_s, products=self._counts[place]
            )
            for place in range(min(self._counts), max(self._counts) + 1)
        )


class _Sums:
    def __init__(self) -> None:
        self._verdicts: Counter[str] = Counter()
        self._differences: Counter[str] = Counter()
        self._spared = self._retried = self._retries = self._visited = 0
        self._visited_s = self._longest_s = 0.0
        self._times = Quantiles()
        self._stretches = Stretches()
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._slowest: list[tuple[float, str, str, ProductLine]] = []
        self._failed: list[ProductLine] = []

    def add(self, result: ItemResult | ResultOutline) -> None:
        self._verdicts[result.verdict.value] += 1
        for name in {difference.field for difference in result.differences}:
            if name in self._differences or len(self._differences) < _MOST_FIELDS:
                self._differences[name] += 1
        self._first = result.started_at if self._first is None else min(self._first, result.started_at)
        self._last = result.finished_at if self._last is None else max(self._last, result.finished_at)
        self._stretches.add(result.finished_at)
        if result.attempts:
            self._add_visit(result)
        else:
            self._spared += 1
        if result.verdict in _BAD and len(self._failed) < MOST_LINES:
            self._failed.append(_line(result))

    def _add_visit(self, result: ItemResult | ResultOutline) -> None:
        took_s = _took_s(result)
        self._visited += 1
        self._visited_s += took_s
        self._longest_s = max(self._longest_s, took_s)
        self._times.add(took_s)
        self._retried += result.attempts > 1
        self._retries += result.attempts - 1
        if len(self._slowest) < MOST_LINES:
            heapq.heappush(self._slowest, (took_s, result.run, result.product_id, _line(result)))
        elif took_s > self._slowest[0][0]:
            heapq.heapreplace(self._slowest, (took_s, result.run, result.product_id, _line(result)))

    def figures(self, complete: bool) -> ResultFigures:
        return ResultFigures(
            products=self._verdicts.total(),
            verdicts={verdict.value: self._verdicts[verdict.value] for verdict in Verdict},
            spared=self._spared,
            retried=self._retried,
            retries=self._retries,
            begins_at=self._first,
            ends_at=self._last,
            times=ReportedTimes(
                mean_s=round(self._visited_s / self._visited, 3) if self._visited else 0.0,
                p50_s=min(self._times.at(0.5), round(self._longest_s, 3)),
                p95_s=min(self._times.at(0.95), round(self._longest_s, 3)),
                longest_s=round(self._longest_s, 3),
            ),
            throughput=self._stretches.read(),
            differences=tuple(
                FieldDifferences(field=name, products=count) for name, count in self._differences.most_common()
            ),
            slowest=tuple(line for *_, line in sorted(self._slowest, reverse=True, key=lambda each: each[:3])),
            failed=tuple(self._failed),
            complete=complete,
        )


def _line(result: ItemResult | ResultOutline) -> ProductLine:
    return ProductLine(
        run=result.run,
        product_id=result.product_id,
        platform=result.platform,
        url=result.url,
        verdict=result.verdict.value,
        reason=result.reason[:300],
        attempts=result.attempts,
        took_s=round(_took_s(result), 3),
    )


def _took_s(result: ItemResult | ResultOutline) -> float:
    return max(0.0, (result.finished_at - result.started_at) / timedelta(seconds=1))
