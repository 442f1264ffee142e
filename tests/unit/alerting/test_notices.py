"""What people are told of a run's end and of watched changes: the words, the level, where it goes, and the bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pagemill.alerting.channels import worded
from pagemill.alerting.notices import Ending, EndOfRun, changes_alert, end_alert, level_of
from pagemill.config.notices import RunNotices
from pagemill.config.remedies import Remedy
from pagemill.model import Difference, ItemResult, Verdict
from pagemill.results.notice_outbox import UntoldChanges
from pagemill.results.run_end import FailureReason, RunEnd
from pagemill.results.runs import RunSummary, Telling
from tests.unit.results.result_values import make_result

NIGHT = datetime(2026, 11, 20, 18, 0, 5, tzinfo=UTC)
"""Three in the morning of the next day in Seoul."""
NOW = NIGHT + timedelta(hours=1)
SEOUL = Telling("musinsa-nightly", "Asia/Seoul")
NOTICES = RunNotices()


def told(
    verdicts: Mapping[Verdict, int],
    ending: Ending = Ending.COMPLETE,
    *,
    asked: int | None = None,
    telling: Telling = SEOUL,
    changes: tuple[ItemResult, ...] = (),
    reasons: tuple[FailureReason, ...] = (),
    skipped: int = 0,
) -> EndOfRun:
    """A run's end with these counts."""
    done = sum(verdicts.values())
    summary = RunSummary(
        run="20261120-180005-musinsa-ab12",
        platform="musinsa",
        source="sql",
        created_at=NIGHT,
        sealed_at=None if ending is Ending.BROKEN_OFF else NIGHT,
        products=done if asked is None else asked,
        batches=1,
        skipped=skipped,
        done=done,
        by_verdict=verdicts,
        broken_at=NIGHT + timedelta(minutes=45) if ending is Ending.BROKEN_OFF else None,
    )
    end = RunEnd(summary, NIGHT + timedelta(minutes=50), changes, reasons)
    return EndOfRun(ending, end, telling, done if asked is None else asked)


def a_change(product_id: str, *differences: Difference, **more: Any) -> ItemResult:
    """A product that changed."""
    return make_result(product_id, verdict=Verdict.CHANGED, differences=differences, **more)


def test_all_that_is_told_of_an_end() -> None:
    """Counts, the first changes as expected and found, why products failed, and times by the entry's clock."""
    price = a_change("P1", Difference("price", 12900, 13900.0), Difference("in_stock", True, False))
    gone = make_result("P2", verdict=Verdict.GONE, reason="HTTP 404")
    verdicts = {Verdict.OK: 90, Verdict.CHANGED: 4, Verdict.GONE: 1, Verdict.FAILED: 4, Verdict.BLOCKED: 1}
    reasons = (FailureReason(Verdict.FAILED, "HTTP 500", 4), FailureReason(Verdict.BLOCKED, "HTTP 403", 1))
    alert = end_alert(told(verdicts, changes=(price, gone), reasons=reasons, skipped=2), NOTICES, NOW)
    title, body = worded(alert)
    assert title == (
        "[warning] pagemill: musinsa-nightly, 2026-11-21: 4 changed, 1 gone, 1 blocked, 4 failed, 90 ok of 100"
    )
    assert body == (
        "run 20261120-180005-musinsa-ab12 of musinsa, entry musinsa-nightly has ended: "
        "4 changed, 1 gone, 1 blocked, 4 failed, 90 ok of 100\n"
        "\n"
        "changed P1: price: 12900 -> 13900, in_stock: true -> false\n"
        "gone P2: HTTP 404\n"
        "and 3 more changes\n"
        "failed, 4 products: HTTP 500\n"
        "blocked, 1 product: HTTP 403\n"
        "\n"
        "scope: 20261120-180005-musinsa-ab12\n"
        "platform: musinsa\n"
        "entry: musinsa-nightly\n"
        "day: 2026-11-21\n"
        "products: 100\n"
        "ok: 90\n"
        "changed: 4\n"
        "gone: 1\n"
        "blocked: 1\n"
        "failed: 4\n"
        "skipped: 2\n"
        "began: 2026-11-21T03:00:05+09:00\n"
        "ended: 2026-11-21T03:50:05+09:00\n"
        "at: 2026-11-21T04:00:05+09:00"
    )
    assert (alert.name, alert.kind, alert.channels) == ("run-ended", "run", None)


def test_a_run_that_went_well_takes_few_words() -> None:
    """One that no entry has begun is headed by its platform, and has UTC's days."""
    alert = end_alert(told({Verdict.OK: 100}, telling=Telling()), NOTICES, NOW)
    assert worded(alert)[0] == "[info] pagemill: musinsa, 2026-11-20: all 100 ok"
    assert alert.message == "run 20261120-180005-musinsa-ab12 of musinsa has ended: all 100 ok"
    assert "entry" not in alert.facts
    assert end_alert(told({Verdict.OK: 5}), RunNotices(channels=("team",)), NOW).channels == ("team",)


def test_a_time_zone_that_this_machine_does_not_know_is_utc() -> None:
    """The scheduler may run on another one."""
    alert = end_alert(told({Verdict.OK: 1}, telling=Telling("nightly", "Mars/Olympus")), NOTICES, NOW)
    assert alert.facts["began"] == "2026-11-20T18:00:05+00:00"


@pytest.mark.parametrize(
    ("verdicts", "ending", "asked", "skipped", "level"),
    [
        ({Verdict.OK: 100}, Ending.COMPLETE, 100, 0, "info"),
        ({Verdict.OK: 100}, Ending.COMPLETE, 100, 1, "warning"),
        ({Verdict.OK: 99, Verdict.CHANGED: 1}, Ending.COMPLETE, 100, 0, "warning"),
        ({Verdict.OK: 99, Verdict.SOLD_OUT: 1}, Ending.COMPLETE, 100, 0, "warning"),
        ({Verdict.OK: 50, Verdict.FAILED: 50}, Ending.COMPLETE, 100, 0, "warning"),
        ({Verdict.OK: 49, Verdict.FAILED: 26, Verdict.BLOCKED: 25}, Ending.COMPLETE, 100, 0, "critical"),
        ({Verdict.OK: 99}, Ending.COMPLETE, 100, 0, "critical"),
        ({Verdict.OK: 99}, Ending.CANCELLED, 100, 0, "warning"),
        ({Verdict.OK: 100}, Ending.BROKEN_OFF, 100, 0, "critical"),
        ({}, Ending.BROKEN_OFF, 0, 0, "critical"),
    ],
)
def test_the_level_goes_by_what_happened(
    verdicts: dict[Verdict, int], ending: Ending, asked: int, skipped: int, level: str
) -> None:
    """Well, something to look at, or something is wrong with the run itself."""
    assert level_of(told(verdicts, ending, asked=asked, skipped=skipped)) == level


def test_what_lacks_results_says_so() -> None:
    """First of all, and in which way it ended."""
    cancelled = end_alert(told({Verdict.OK: 40}, Ending.CANCELLED, asked=100), NOTICES, NOW)
    assert cancelled.message.endswith("was cancelled: 60 without a result, 40 ok of 100")
    nothing = end_alert(told({}, Ending.BROKEN_OFF, asked=0), NOTICES, NOW)
    assert nothing.message.endswith(" is incomplete: its enqueueing broke off after 0 products; no result of 0")


def test_a_run_that_broke_off_says_so_first() -> None:
    """In its heading too, where what was handed in went well; and what is to be done."""
    alert = end_alert(told({Verdict.OK: 4000}, Ending.BROKEN_OFF), NOTICES, NOW)
    assert worded(alert)[0] == (
        "[critical] pagemill: musinsa-nightly, 2026-11-21: its enqueueing broke off after 4000 products; all 4000 ok"
    )
    assert alert.details == (f"remedy: {Remedy.BROKEN_OFF}",)


def test_quiet_is_quiet_only_while_all_is_well() -> None:
    """The log has it all the same."""
    quiet = RunNotices(quiet=True, channels=("team",))
    assert end_alert(told({Verdict.OK: 5}), quiet, NOW).channels == ("log",)
    assert end_alert(told({Verdict.OK: 4, Verdict.GONE: 1}), quiet, NOW).channels == ("team",)


def test_an_entry_changes_what_it_names() -> None:
    """The rest stays as in `alerts.yaml`; words of a newer release do not count."""
    settings = RunNotices(channels=("team",), changes=3).changed({"quiet": True, "colour": "red"})
    assert settings == RunNotices(quiet=True, channels=("team",), changes=3)


def test_the_same_end_has_the_same_id() -> None:
    """Whoever tells it, and when; a run that broke off and is gone on with ends once more, be it in the same way."""
    one, later = (end_alert(told({Verdict.OK: 5}), NOTICES, moment) for moment in (NOW, NOW + timedelta(days=1)))
    assert one.id == later.id
    broke_off = told({Verdict.OK: 5}, Ending.BROKEN_OFF)
    summary = replace(broke_off.end.summary, broken_at=NOW)
    again = replace(broke_off, end=replace(broke_off.end, summary=summary))
    assert len({one.id, *(end_alert(each, NOTICES, NOW).id for each in (broke_off, broke_off, again))}) == 3


def test_a_message_is_bounded_and_tame() -> None:
    """Whatever pages said: long texts, many fields, line breaks, calls to everybody, links and passwords."""
    wild = '@everyone <a href="https://evil.test/?hunter2">\r\nBcc: x</a>' + "y" * 100_000
    fields = [Difference(f"field{number}", wild, wild) for number in range(50)]
    changes = tuple(a_change(f"P{number}{wild}", *fields) for number in range(20))
    reasons = tuple(FailureReason(Verdict.FAILED, f"{number} {wild}", 1) for number in range(50))
    verdicts = {Verdict.CHANGED: 50, Verdict.FAILED: 50}
    alert = end_alert(told(verdicts, changes=changes, reasons=reasons), RunNotices(changes=20), NOW)
    title, body = worded(alert)
    assert len(title) <= 200
    assert len(body) <= 10_000
    assert body.splitlines()[-1].startswith("at: ")
    assert max(map(len, alert.details)) <= 300
    assert "and 45 more that failed or were blocked" in alert.details
    for bad in ("@", "https:", "hunter2", "\r"):
        assert bad not in title + body
    assert len(body.splitlines()) < 100


def test_watched_changes_are_told_in_few_words() -> None:
    """One by itself, several with the first ones."""
    price = a_change("P1", Difference("price", 12900, 13900))
    one = changes_alert(UntoldChanges("id-1", 1, (price,)), "r1", SEOUL, ("phone",), NOW)
    assert worded(one)[0] == "[warning] pagemill: musinsa-nightly: 1 watched change"
    assert one.message == "1 watched change in run r1: changed P1: price: 12900 -> 13900"
    assert (one.id, one.channels, one.scope, one.kind) == ("id-1", ("phone",), "r1", "run")
    many = changes_alert(
        UntoldChanges("id-2", 500, (price, replace(price, product_id="P2"))), "r1", Telling(), None, NOW
    )
    assert many.message == "500 watched changes in run r1"
    assert many.details[-1] == "and 498 more changes"
    assert worded(many)[0] == "[warning] pagemill: shop: 500 watched changes"
