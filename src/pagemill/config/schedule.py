"""Pydantic models of `config/schedule.yaml`: what is enqueued when. `intake.scheduler` does it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from pydantic import AfterValidator, Field

from pagemill.config.mistakes import Mistake
from pagemill.config.notices import Notify, channel_mistakes
from pagemill.config.platform import AUTO, Platform
from pagemill.config.section import Flag, Number, Section, Whole
from pagemill.model import FactValue, Priority

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_FIELDS = 5


def _check_cron(value: str) -> str:
    if len(value.split()) != _FIELDS or not croniter.is_valid(value):
        remedy = (
            "write minute, hour, day of the month, month and day of the week, such as 0 3 * * * for 3 o'clock each day"
        )
        raise Mistake(f"{value!r} is not a cron expression", remedy)
    return value


def check_zone(value: str) -> str:
    """The name of a time zone.

    Raises:
        Mistake: there is none of that name.
    """
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Mistake(f"{value!r} is not a time zone", "write a name such as Asia/Seoul or UTC") from error
    return value


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not an entry's name", "use up to 63 small letters, digits, - and _")
    return value


class ScheduleEntry(Section):
    """Something that is enqueued regularly."""

    cron: Annotated[str, AfterValidator(_check_cron)]
    time_zone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    platform: str
    catalog: str = "sql"
    filter: dict[str, FactValue | tuple[FactValue, ...]] = Field(default_factory=dict)
    encoding: str = ""
    decimal: Literal[".", ","] | None = None
    batch_size: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    priority: Priority = Priority.NORMAL
    overlap: Literal["skip", "queue"] = "skip"
    catch_up_minutes: Number = Field(default=60, ge=0, le=7 * 24 * 60)
    enabled: Flag = True
    notify: Notify = Notify()


class Schedule(Section):
    """`config/schedule.yaml`."""

    entries: dict[Annotated[str, AfterValidator(_check_name)], ScheduleEntry] = Field(default_factory=dict)

    @property
    def time_zone(self) -> str:
        """The time zone of days that state none: the one of all entries that are switched on, or UTC if they have
        several."""
        zones = {entry.time_zone for entry in self.entries.values() if entry.enabled}
        return zones.pop() if len(zones) == 1 else "UTC"

    def mistakes(self, platforms: Mapping[str, Platform], channels: Collection[str] | None) -> Iterator[Mistake]:
        """What does not fit the configured platforms and channels. `channels` is `None` if they are not known."""
        for name, entry in self.entries.items():
            for key, message, remedy in _mistakes_of(entry, platforms):
                yield Mistake(message, remedy, "entries", name, key)
            if channels is not None:
                yield from channel_mistakes(entry.notify.channels, channels, "entries", name, "notify")


def _mistakes_of(entry: ScheduleEntry, platforms: Mapping[str, Platform]) -> Iterator[tuple[str, str, str]]:
    """Key, message and remedy of each mistake."""
    shops = [platforms[name] for name in platforms if entry.platform in (name, AUTO)]
    if not shops:
        known = [*platforms, AUTO] if platforms else []
        yield "platform", f"{entry.platform!r} is not configured", _known_are(known)
        return
    fields = {field for shop in shops for field in shop.extract.fields}
    for field in (each for each in entry.filter if each not in fields):
        yield "filter", f"{field!r} is not one of its fields", _known_are(fields)
    if entry.catalog != "sql":
        return
    if entry.platform == AUTO:
        yield (
            "catalog",
            "sql reads one platform's table, and auto stands for all platforms",
            "write sql:TABLE, or a file",
        )
    elif shops[0].catalog.table is None:
        message = f"sql reads the platform's table, but platform {entry.platform} names none"
        remedy = f"write catalog.table in platforms/{entry.platform}.yaml, or a file or sql:TABLE here"
        yield "catalog", message, remedy


def _known_are(names: Iterable[str]) -> str:
    return f"known are {', '.join(sorted(names)) or 'none'}"
