"""Pydantic models of what people are told of runs: `runs` and `watched` of `alerts.yaml`, `notify` of an entry of the
schedule, `watch` of a platform. `alerting.notifier` tells them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from pagemill.config.alert_channels import ALWAYS_THERE, unknown_channel
from pagemill.config.mistakes import Mistake
from pagemill.config.section import Flag, Section, Whole

Channels = tuple[str, ...] | None
"""Names of channels; `None` for all."""


_MOST_PRODUCTS = 1000


def _check_number(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(value) > _MOST_PRODUCTS:
        raise Mistake(f"names {len(value)} products", f"write at most {_MOST_PRODUCTS}, or watch a field")
    return value


def channel_mistakes(names: Channels, known: Iterable[str], *above: str | int) -> Iterator[Mistake]:
    """A mistake for each of these channels that does not exist."""
    there = tuple(known)
    for number, name in enumerate(names or ()):
        if name not in there and name not in ALWAYS_THERE:
            mistake = unknown_channel(name, there)
            yield Mistake(mistake.message, mistake.remedy, *above, "channels", number)


class RunNotices(Section):
    """How people are told that a run has ended."""

    enabled: Flag = True
    quiet: Flag = False
    channels: Channels = None
    changes: Annotated[Whole, Field(ge=0, le=20)] = 10

    def changed(self, said: Mapping[str, Any]) -> RunNotices:
        """These settings, changed as an entry of the schedule says. Words of a newer release are ignored."""
        known = {name: value for name, value in said.items() if name in Notify.model_fields}
        return RunNotices.model_validate({**self.model_dump(), **known})


class WatchedNotices(Section):
    """How people are told of watched changes."""

    enabled: Flag = True
    channels: Channels = None


class Notify(Section):
    """What an entry of the schedule sets differently. For the rest, `alerts.yaml` holds."""

    enabled: Flag | None = None
    quiet: Flag | None = None
    channels: Channels = None

    @property
    def said(self) -> dict[str, Any]:
        """The settings that are present, as JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


class WatchedChanges(Section):
    """The products and fields whose changes are told at once."""

    fields: tuple[str, ...] = ()
    products: Annotated[tuple[str, ...], AfterValidator(_check_number)] = ()
