"""The watchdog: stages of a standstill, each once, and none for a loop that comes round."""

from __future__ import annotations

from structlog.testing import capture_logs

from pagemill.guard.watchdog import Watchdog
from pagemill.telemetry import events


class Standstill:
    """A loop that stands still for as long as a test says, and what was done about it."""

    def __init__(self) -> None:
        self.lag_s = 0.0
        self.done: list[str] = []
        self.watchdog = Watchdog(
            lambda: self.lag_s,
            10,
            dump=lambda: "thread engine: time.sleep",
            kill_browser=lambda reason: self.done.append(f"kill {reason}"),
            abandon=lambda reason: self.done.append(reason),
            end_process=lambda: self.done.append("end"),
        )


def test_the_stages_come_in_order_and_once() -> None:
    """Dump at 10 s, browser at 20, the loop is given up at 30, the process ends half a minute later."""
    still = Standstill()
    with capture_logs() as lines:
        for second in range(80):
            still.lag_s = float(second)
            still.watchdog.check()
    assert still.done == ["kill stuck", "the event loop stood still for 30 s", "end"]
    steps = [(line["seconds"], line["step"]) for line in lines if line["event"] == events.LOOP_STUCK]
    assert steps == [(10, "dump"), (20, "kill browser"), (30, "abandon"), (60, "end process")]
    assert lines[0]["stacks"] == "thread engine: time.sleep"


def test_a_loop_that_recovers_starts_from_the_first_stage() -> None:
    """Two short standstills are not one long one."""
    still = Standstill()
    for lag_s in (12, 0.1, 12, 0.1, 12):
        still.lag_s = lag_s
        still.watchdog.check()
    assert still.done == []


def test_a_process_that_was_stopped_as_a_whole_gets_time_to_come_round() -> None:
    """After a minute in which nothing ran, the first check sees a lag of a minute: that alone kills nothing."""
    still = Standstill()
    still.lag_s = 65
    still.watchdog.check()
    still.lag_s = 0
    still.watchdog.check()
    assert still.done == []
