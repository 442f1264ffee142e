"""The way of log lines to the fleet."""

from __future__ import annotations

import pytest

from pagemill.telemetry import events
from pagemill.telemetry.event_buffer import BufferedEvent, EventBuffer


def line(event: str, **facts: object) -> dict[str, object]:
    """As structlog hands it on."""
    return {"event": event, "level": "info", "timestamp": "2026-11-21T00:00:00Z", **facts}


def test_only_what_the_fleet_should_see_is_kept() -> None:
    """Neither what comes all the time nor what is no event."""
    tap = EventBuffer()
    tap.open()
    for event in (events.BROWSER_ROTATION, events.PAGE_ROTATION, events.ITEM, events.MEMORY, "something else"):
        tap(None, "info", line(event, uses=3))
    taken: list[BufferedEvent] = []
    tap.take(taken.extend)
    assert taken == [BufferedEvent(events.BROWSER_ROTATION, "info", "2026-11-21T00:00:00Z", {"uses": 3})]


def test_lines_pass_unchanged() -> None:
    """Also long values, which are cut on the other way only."""
    tap = EventBuffer()
    tap.open()
    told = line(events.ALERT, message="x" * 1000, worker=None, list=[1, 2])
    assert tap(None, "info", told) is told
    assert len(str(told["message"])) == 1000
    taken: list[BufferedEvent] = []
    tap.take(taken.extend)
    assert taken[0].facts == {"message": "x" * 300, "worker": None, "list": "[1, 2]"}


def test_lines_that_could_not_be_sent_are_kept_and_bounded() -> None:
    """Redis is away: the oldest go when there are too many."""
    tap = EventBuffer()
    tap.open()

    def fail(_told: list[BufferedEvent]) -> None:
        raise ConnectionError

    for number in range(700):
        tap(None, "info", line(events.ALERT, number=number))
    with pytest.raises(ConnectionError):
        tap.take(fail)
    taken: list[BufferedEvent] = []
    tap.take(taken.extend)
    assert [each.facts["number"] for each in taken] == list(range(200, 700))
    tap.take(lambda _told: pytest.fail("there is nothing left"))


def test_a_closed_tap_keeps_nothing() -> None:
    """Commands that are no workers have nobody to tell."""
    tap = EventBuffer()
    tap(None, "info", line(events.ALERT))
    tap.open()
    tap(None, "info", line(events.ALERT))
    tap.close()
    tap.take(lambda _told: pytest.fail("there is nothing left"))
