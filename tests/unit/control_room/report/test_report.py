"""Reports of runs and days, from a real SQLite store and what a fleet has told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from redis import Redis
from sqlalchemy import update

from pagemill.alerting.alert import Alert
from pagemill.control_room.report.advice import FINE, report_advice
from pagemill.control_room.report.figures import MOST_LINES, Quantiles, Stretches, result_figures_of
from pagemill.control_room.report.fleet import fleet_figures
from pagemill.control_room.report.models import FleetFigures, ResultFigures
from pagemill.control_room.report.summary import DayReport, RunReport, summary
from pagemill.errors import UsageError
from pagemill.fleet.event_log import FleetEvent
from pagemill.fleet.history import Point
from pagemill.fleet.view import FleetView
from pagemill.model import Difference, ItemResult, Verdict
from pagemill.results.schema import runs
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore
from tests.unit.control_room.report.report_values import NOW, a_result


class ToldFleet(FleetView):
    """A view of a fleet that is known beforehand."""

    def __init__(self, points: list[Point] | None = None, events: list[FleetEvent] | None = None) -> None:
        super().__init__(Redis(), ())
        self.points = points or []
        self.told = events or []
        self.spans_s: list[float] = []

    def history(self, span_s: float, worker: str = "") -> list[Point]:
        self.spans_s.append(span_s)
        return self.points

    def events(self, count: int = 200, span_s: float = 0) -> list[FleetEvent]:
        return self.told


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResultStore]:
    """An empty database."""
    with ResultStore(f"sqlite:///{tmp_path / 'results.db'}") as store:
        yield store


def at_s(moment: datetime) -> float:
    return moment.timestamp()


def test_figures_of_results() -> None:
    """Verdicts, retries, spared visits, times, differences by field, the slowest and the failed."""
    results = [
        a_result("p1", took_s=1),
        a_result("p2", took_s=4, attempts=3, verdict=Verdict.FAILED, reason="timeout"),
        a_result("p3", took_s=2, verdict=Verdict.CHANGED, differences=(Difference("price", 1, 2),)),
        a_result("p4", took_s=0, attempts=0),
    ]
    found = result_figures_of(results)
    assert found.products == 4
    assert (found.verdicts["ok"], found.verdicts["failed"], found.verdicts["gone"]) == (2, 1, 0)
    assert (found.spared, found.retried, found.retries) == (1, 1, 2)
    assert found.times.mean_s == pytest.approx(7 / 3, abs=0.001)
    assert found.times.p50_s == pytest.approx(2, rel=0.02)
    assert (found.times.p95_s, found.times.longest_s) == (4.0, 4.0)
    assert [(each.field, each.products) for each in found.differences] == [("price", 1)]
    assert [line.product_id for line in found.slowest] == ["p2", "p3", "p1"]
    assert [line.reason for line in found.failed] == ["timeout"]
    assert sum(stretch.products for stretch in found.throughput) == 4
    assert found.complete


def test_lists_are_bounded_however_many_results_there_are() -> None:
    """The slowest are kept, not the first ones."""
    found = result_figures_of(a_result(f"p{n}", took_s=n / 100, verdict=Verdict.FAILED) for n in range(3000))
    assert (len(found.slowest), len(found.failed)) == (MOST_LINES, MOST_LINES)
    assert found.slowest[0].product_id == "p2999"
    assert len(found.throughput) <= 120


def test_only_what_lies_in_the_time_counts() -> None:
    """And a limit is told."""
    results = [a_result(f"p{n}", ended_at=NOW - timedelta(hours=n)) for n in range(10)]
    found = result_figures_of(results, NOW - timedelta(hours=3), NOW)
    assert (found.products, found.complete) == (3, True)
    limited = result_figures_of(results, most=4)
    assert (limited.products, limited.complete) == (4, False)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_quantiles_are_right_to_two_percent(share: float) -> None:
    """From milliseconds to minutes."""
    counts = Quantiles()
    for number in range(1, 10_001):
        counts.add(number / 100)
    assert counts.at(share) == pytest.approx(share * 100, rel=0.021)
    assert Quantiles().at(share) == 0


def test_stretches_grow_with_the_span() -> None:
    """Nothing is lost when they do, and empty ones are told too."""
    counts = Stretches(most=10)
    for day in range(3):
        counts.add(NOW + timedelta(days=day))
    found = counts.read()
    assert len(found) <= 10
    assert sum(stretch.products for stretch in found) == 3
    assert any(stretch.products == 0 for stretch in found)


def test_a_run_is_reported_with_what_the_fleet_did_meanwhile(store: ResultStore) -> None:
    """Only what lies between its creation and its last verdict counts."""
    store.create_run("r1", "musinsa", "catalogue.csv")
    store.write([a_result(f"p{n}", took_s=1 + n) for n in range(4)])
    store.seal_run("r1", 4, 1, 0)
    created = store.runs()[0].created_at
    ended = created + timedelta(seconds=60)
    store.write([a_result("p9", ended_at=ended)])
    points = [
        Point("w1", {"python": 100, "renderers": 300}, rotations={"page": 10}, at_s=at_s(created) - 100),
        Point("w1", {"python": 100, "renderers": 400}, rotations={"page": 20, "browser": 1}, at_s=at_s(created) + 5),
        Point("w2", {"python": 50}, rotations={"page": 2}, at_s=at_s(created) + 28),
        Point("w1", {"python": 100, "renderers": 500}, rotations={"page": 28, "browser": 2}, at_s=at_s(created) + 30),
    ]
    told = [
        FleetEvent("w1", "Browser Rotation", "info", (created + timedelta(seconds=9)).isoformat(), {"reason": "uses"})
    ]
    alerts = [Alert("leak", "critical", "grows", "w1", created + timedelta(seconds=d)) for d in (90, 10, -90)]
    now = created + timedelta(hours=1)
    report = summary(ToldFleet(points, told), store, run="r1", alerts=alerts, now=lambda: now)
    assert isinstance(report, RunReport)
    assert (report.begins_at, report.ends_at, report.run.platform) == (created, ended, "musinsa")
    assert report.results.products == 5
    assert report.fleet.workers == 2
    assert report.fleet.peak_mb == pytest.approx(650)
    counts = {each.level: (each.count, dict(each.reasons)) for each in report.fleet.rotations}
    assert counts["page"] == (8, {})
    assert counts["browser"] == (1, {"uses": 1})
    assert [alert.at for alert in report.fleet.alerts] == [alerts[1].at]
    assert json.loads(report.model_dump_json())["kind"] == "run"


def test_a_run_whose_enqueueing_broke_off_is_told_first(store: ResultStore) -> None:
    """In its own report and in the day's: what was handed in looks whole otherwise."""
    store.create_run("r1", "musinsa", "catalogue.csv")
    store.write([a_result("p1")])
    signs = SignsOfLife(store)
    assert "incomplete" not in summary(ToldFleet(), store, run="r1").recommendations[0]
    signs.break_off(signs.enqueueing()[0])
    told = "Run r1 is incomplete: its enqueueing broke off after 0 products."
    assert summary(ToldFleet(), store, run="r1").recommendations[0] == told
    day = summary(ToldFleet(), store, now=lambda: datetime.now(UTC) + timedelta(minutes=1))
    assert day.recommendations[0] == told


def test_a_run_that_is_not_there_is_a_mistake(store: ResultStore) -> None:
    """As are a run and a day at once, and a day that has not come."""
    with pytest.raises(UsageError, match="there is no run r9"):
        summary(ToldFleet(), store, run="r9")
    with pytest.raises(UsageError, match="leave one of them out"):
        summary(ToldFleet(), store, run="r9", day=date(2026, 11, 21))
    with pytest.raises(UsageError, match="has not come yet"):
        summary(ToldFleet(), store, day=date(2026, 11, 22), now=lambda: NOW)


def test_a_day_sums_its_runs_up(store: ResultStore) -> None:
    """Verdicts count by when they were given, runs by when they began."""
    store.create_run("r1", "musinsa", "a.csv")
    now = datetime.now(UTC) + timedelta(minutes=1)
    store.write([a_result("p1", ended_at=now - timedelta(hours=1)), a_result("p2", ended_at=now - timedelta(hours=30))])
    fleet = ToldFleet()
    report = summary(fleet, store, now=lambda: now)
    assert isinstance(report, DayReport)
    assert (report.title, report.results.products, report.ends_at) == ("The last 24 hours", 1, now)
    assert [(run.run, run.done) for run in report.runs] == [("r1", 2)]
    assert fleet.spans_s == [86400]


def test_a_day_goes_from_midnight_to_midnight_of_its_time_zone(store: ResultStore) -> None:
    """A run at three in the morning in Seoul is of that day, though in UTC it was the evening before."""
    store.create_run("r1", "musinsa", "a.csv")
    three_in_seoul = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    store.write([a_result("p1", ended_at=three_in_seoul)])
    with store.engine.begin() as connection:
        connection.execute(update(runs).values(created_at=three_in_seoul))
    day = date(2026, 11, 21)
    in_seoul = summary(ToldFleet(), store, day=day, time_zone="Asia/Seoul", now=lambda: NOW)
    assert isinstance(in_seoul, DayReport)
    assert (in_seoul.title, in_seoul.results.products) == ("2026-11-21 (Asia/Seoul)", 1)
    assert [run.run for run in in_seoul.runs] == ["r1"]
    assert (in_seoul.begins_at, in_seoul.ends_at) == (datetime(2026, 11, 20, 15, 0, tzinfo=UTC), NOW)
    assert summary(ToldFleet(), store, day=day, now=lambda: NOW).results.products == 0


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_day_on_which_clocks_change_is_as_long_as_it_was(store: ResultStore, day: date, hours: int) -> None:
    """In Berlin."""
    report = summary(ToldFleet(), store, day=day, time_zone="Europe/Berlin", now=lambda: NOW)
    assert report.ends_at - report.begins_at == timedelta(hours=hours)


def test_a_day_that_begins_elsewhere_first_has_come_there(store: ResultStore) -> None:
    """At noon in UTC it is tomorrow on the other side of the world, and nowhere the year one."""
    tomorrow = date(2026, 11, 22)
    assert "Auckland" in summary(ToldFleet(), store, day=tomorrow, time_zone="Pacific/Auckland", now=lambda: NOW).title
    with pytest.raises(UsageError, match="today in Asia/Seoul, 2026-11-21"):
        summary(ToldFleet(), store, day=tomorrow, time_zone="Asia/Seoul", now=lambda: NOW)
    with pytest.raises(UsageError, match="too long ago"):
        summary(ToldFleet(), store, day=date(1, 1, 1), time_zone="Asia/Seoul", now=lambda: NOW)


def test_a_day_before_the_history_needs_no_workers(store: ResultStore) -> None:
    """Nobody is asked for what is not kept."""
    fleet = ToldFleet()
    report = summary(fleet, store, day=date(2026, 11, 1), now=lambda: NOW)
    assert report.title == "2026-11-01 (UTC)"
    assert report.fleet == FleetFigures()
    assert fleet.spans_s == []


def test_what_came_of_runs_is_no_critical_alert() -> None:
    """News have the level `info`, and a time zone of their own."""
    noon_in_seoul = datetime(2026, 11, 21, 12, 0, tzinfo=ZoneInfo("Asia/Seoul"))
    news = [Alert("run-ended", level, "all is well", "", noon_in_seoul) for level in ("info", "warning", "critical")]
    found = fleet_figures([], [], news, NOW - timedelta(days=1), NOW)
    assert {line.at.utcoffset() for line in found.alerts} == {timedelta(0)}
    assert [each for each in report_advice(ResultFigures(products=1), found) if "critical" in each] == [
        "1 alerts were critical: see the list of alerts."
    ]


def test_a_worker_that_starts_afresh_counts_from_nothing() -> None:
    """Its counts fall, and what it has done since is added."""
    points = [Point("w", rotations={"page": count}, at_s=at_s(NOW) + n) for n, count in enumerate([90, 100, 5])]
    found = fleet_figures(points, [], [], NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert found.rotations[0].count == 15


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (ResultFigures(), "No product got a verdict"),
        (ResultFigures(products=100, verdicts={"ok": 100}), FINE),
        (ResultFigures(products=100, verdicts={"ok": 80, "blocked": 20}), "20.0% of the products were blocked"),
        (ResultFigures(products=100, verdicts={"ok": 90, "failed": 10}), "10.0% of the products failed"),
        (ResultFigures(products=100, verdicts={"ok": 100}, retried=30), "more than one attempt"),
    ],
)
def test_advice_names_what_stands_out(results: ResultFigures, said: str) -> None:
    """One sentence for each, and one that says when all is well."""
    sentences = report_advice(results, FleetFigures())
    assert len(sentences) == 1
    assert said in sentences[0]


def test_results_may_come_in_any_order() -> None:
    """As they do: by product, not by time."""
    results: list[ItemResult] = [a_result(f"p{n}", ended_at=NOW + timedelta(seconds=n * 37 % 100)) for n in range(50)]
    assert result_figures_of(results) == result_figures_of(
        sorted(results, key=lambda each: each.finished_at)
    ).model_copy(update={"failed": (), "slowest": result_figures_of(results).slowest})
