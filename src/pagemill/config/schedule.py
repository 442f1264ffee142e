"""Pydantic models of `config/schedule.yaml`: what is enqueued when. Firing is `intake.scheduler`'s."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from pydantic import AfterValidator, Field

from pagemill.config.mistakes import Mistake
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


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Mistake(f"{value!r} is not a time zone", "write a name such as Asia/Seoul or UTC") from error
    return value


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not an entry's name", "use up to 63 small letters, digits, - and _")
    return value


class Entry(Section):
    """One thing that is enqueued again and again."""

    cron: Annotated[str, AfterValidator(_check_cron)]
    time_zone: Annotated[str, AfterValidator(_check_zone)] = "UTC"
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


class Schedule(Section):
    """`config/schedule.yaml`."""

    entries: dict[Annotated[str, AfterValidator(_check_name)], Entry] = Field(default_factory=dict)
