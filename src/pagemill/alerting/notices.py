"""Builds the alerts about ended runs and watched changes. Pure: values in, an alert out.

The number of changes and reasons in a message is limited, and so is the length of each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pagemill.alerting.alert import Alert
from pagemill.alerting.plain_text import plain_line
from pagemill.config.notices import Channels, RunNotices
from pagemill.config.remedies import Remedy
from pagemill.model import Difference, FactValue, ItemResult, Verdict
from pagemill.results.notice_outbox import UntoldChanges
from pagemill.results.run_end import CHANGES, FAILURES, RunEnd
from pagemill.results.runs import Telling, broke_off

RUN_ENDED = "run-ended"
WATCHED_CHANGE = "watched-change"
MOST_WATCHED_SHOWN = 10
_KIND = "run"
_MOST_REASONS = 5
_MOST_DIFFERENCES = 5
_LONGEST_VALUE = 80
_LONGEST_LINE = 300
_ALL_IS_WELL = "info"


class Ending(StrEnum):
    """How a run has ended."""

    COMPLETE = "has ended"
    CANCELLED = "was cancelled"
    BROKEN_OFF = "is incomplete"


@dataclass(frozen=True, slots=True)
class EndOfRun:
    """A run's end, with everything that decides how it is reported."""

    ending: Ending
    end: RunEnd
    telling: Telling
    asked: int
    """How many products the run was asked to visit."""

    @property
    def lacking(self) -> int:
        """How many of these have no result."""
        return max(0, self.asked - self.end.summary.done)


def level_of(told: EndOfRun) -> str:
    """`critical` for a run that broke off, lacks results or mostly failed; `info` if all is well; else `warning`."""
    failed = told.end.count(FAILURES)
    if told.ending is Ending.BROKEN_OFF or (told.ending is Ending.COMPLETE and told.lacking):
        return "critical"
    if 2 * failed > told.end.summary.done:
        return "critical"
    is_well = told.ending is Ending.COMPLETE and not failed and not told.end.count(CHANGES)
    return _ALL_IS_WELL if is_well and not told.end.summary.skipped else "warning"


def end_alert(told: EndOfRun, settings: RunNotices, now: datetime) -> Alert:
    """The alert about a run's end. With `quiet`, one where all is well goes to the log only."""
    summary, zone, level = told.end.summary, zone_of(told.telling.time_zone), level_of(told)
    began = summary.created_at.astimezone(zone)
    counts = {verdict.value: count for verdict in Verdict if (count := summary.by_verdict.get(verdict, 0))}
    what = _in_words(told)
    of_entry = f", entry {told.telling.entry}" if told.telling.entry else ""
    return Alert(
        name=RUN_ENDED,
        level=level,
        message=f"run {summary.run} of {summary.platform}{of_entry} {told.ending.value}: {what}",
        worker="",
        at=now.astimezone(zone),
        scope=summary.run,
        facts={
            "platform": summary.platform,
            **({"entry": told.telling.entry} if told.telling.entry else {}),
            "day": f"{began:%Y-%m-%d}",
            "products": told.asked,
            **counts,
            **({"skipped": summary.skipped} if summary.skipped else {}),
            "began": began.isoformat(timespec="seconds"),
            "ended": told.end.ended_at.astimezone(zone).isoformat(timespec="seconds"),
        },
        id=hashlib.sha256(f"{RUN_ENDED} {summary.run} {told.ending} {summary.broken_at}".encode()).hexdigest()[:32],
        kind=_KIND,
        channels=("log",) if settings.quiet and level == _ALL_IS_WELL else settings.channels,
        title=f"{told.telling.entry or summary.platform}, {began:%Y-%m-%d}: {what}",
        details=(*_remedy(told.ending), *_changes(told.end), *_reasons(told.end)),
    )


def changes_alert(changes: UntoldChanges, run: str, telling: Telling, channels: Channels, now: datetime) -> Alert:
    """The alert about watched changes."""
    platforms = ", ".join(sorted({each.platform for each in changes.first}))
    number = "1 watched change" if changes.count == 1 else f"{changes.count} watched changes"
    first = _change(changes.first[0]) if changes.first else ""
    return Alert(
        name=WATCHED_CHANGE,
        level="warning",
        message=f"{number} in run {run}: {first}" if changes.count == 1 else f"{number} in run {run}",
        worker="",
        at=now.astimezone(zone_of(telling.time_zone)),
        scope=run,
        facts={"platform": platforms, **({"entry": telling.entry} if telling.entry else {}), "changes": changes.count},
        id=changes.notice,
        kind=_KIND,
        channels=channels,
        title=f"{telling.entry or platforms}: {number}",
        details=(*map(_change, changes.first), *_and_more(changes.count - len(changes.first))),
    )


def zone_of(name: str) -> tzinfo:
    """The time zone of that name; UTC if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _in_words(told: EndOfRun) -> str:
    """What became of the run and its products, in words."""
    return f"{broke_off(told.asked)}; {_counts(told)}" if told.ending is Ending.BROKEN_OFF else _counts(told)


def _remedy(ending: Ending) -> Iterator[str]:
    if ending is Ending.BROKEN_OFF:
        yield f"remedy: {Remedy.BROKEN_OFF}"


def _counts(told: EndOfRun) -> str:
    summary = told.end.summary
    if summary.done and summary.done == told.asked == summary.by_verdict.get(Verdict.OK):
        return f"all {summary.done} ok"
    counts = {verdict: summary.by_verdict.get(verdict, 0) for verdict in (*CHANGES, *FAILURES, Verdict.OK)}
    said = [f"{count} {verdict.value.replace('_', ' ')}" for verdict, count in counts.items() if count]
    if told.lacking:
        said.insert(0, f"{told.lacking} without a result")
    return f"{', '.join(said) or 'no result'} of {told.asked}"


def _changes(end: RunEnd) -> Iterator[str]:
    yield from map(_change, end.changes)
    yield from _and_more(end.count(CHANGES) - len(end.changes))


def _and_more(number: int) -> Iterator[str]:
    if number > 0:
        yield f"and {number} more {'change' if number == 1 else 'changes'}"


def _change(result: ItemResult) -> str:
    said = [_difference(each) for each in result.differences[:_MOST_DIFFERENCES]]
    if result.verdict is not Verdict.CHANGED or not said:
        said = [result.reason]
    what = f"{result.verdict.value.replace('_', ' ')} {plain_line(result.product_id, _LONGEST_VALUE)}"
    return plain_line(f"{what}: {', '.join(said)}", _LONGEST_LINE)


def _difference(difference: Difference) -> str:
    return (
        f"{plain_line(difference.field, _LONGEST_VALUE)}: {_value(difference.expected)} -> {_value(difference.found)}"
    )


def _value(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return plain_line(str(value), _LONGEST_VALUE)


def _reasons(end: RunEnd) -> Iterator[str]:
    shown = end.reasons[:_MOST_REASONS]
    for each in shown:
        products = "1 product" if each.products == 1 else f"{each.products} products"
        yield plain_line(f"{each.verdict.value}, {products}: {each.text}", _LONGEST_LINE)
    if (others := end.count(FAILURES) - sum(each.products for each in shown)) > 0:
        yield f"and {others} more that failed or were blocked"
