"""Telling ends of runs and watched changes: a real Redis, database, webhook and mail server, and several processes'
worth of notifiers, some of which die at the worst moment."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.delivery import AlertDelivery, DeliveryPace
from pagemill.alerting.history import recent_alerts
from pagemill.alerting.notifier import NoticePace, Notifier
from pagemill.config.alert_channels import AlertChannel
from pagemill.config.alerts import AlertRules
from pagemill.config.settings import AlertSettings
from pagemill.errors import DatabaseUnavailable
from pagemill.model import Batch, Difference, Product, Verdict
from pagemill.results.asked_batches import AskedBatches, Reached
from pagemill.results.notice_outbox import NoticeOutbox
from pagemill.results.runs import Telling
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore
from pagemill.telemetry import events
from tests.redis.control_room.mail_server import mail_server
from tests.redis.control_room.webhook import open_webhook
from tests.unit.results.result_values import make_result

pytestmark = [pytest.mark.redis, pytest.mark.timeout(120)]

DEARER = (Difference("price", 12900, 13900),)
BRISK = DeliveryPace(
    timeout_s=5, first_pause_s=0.1, longest_pause_s=0.4, most_tries=50, takeover_s=6, wait_s=0.05, gap_s=0
)


class Office:
    """Runs, and whoever tells their ends, by a clock that moves when it is told to."""

    def __init__(self, url: str, client: redis.Redis) -> None:
        self.url = url
        self.client = client
        self.moved = timedelta()
        self.store = ResultStore(url, is_watched=lambda result: result.product_id.startswith("W"))
        self.store.open()
        self.untold = NoticeOutbox(self.store)
        self.signs = SignsOfLife(self.store)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def notifier(self, name: str = "api-1", *, enabled: bool = True, **settings: Any) -> Notifier:
        desk = AlertDesk(self.client, AlertSettings(enabled=enabled), name, channels=())
        rules = AlertRules.model_validate({"rules": {}, "channels": {"hook": {"kind": "webhook"}}, **settings})
        return Notifier(self.store, desk, rules, name, NoticePace(), now=self.now)

    def begin(self, run: str = "r1", products: int = 3, telling: Telling | None = None) -> None:
        """A run of one batch, on the queue."""
        self.store.create_run(run, "shop", "c.csv", telling=telling)
        batch = Batch(run, "b00001", "shop", tuple(Product(f"P{number}", "u") for number in range(products)))
        AskedBatches(self.store).note([batch], Reached(), Reached(1, products, f"P{products - 1}"))

    def seal(self, run: str = "r1", products: int = 3) -> None:
        self.store.seal_run(run, products, 1, 0)

    def break_off(self, run: str = "r1") -> None:
        """As whoever looks after runs notes it."""
        (seen,) = [each for each in self.signs.enqueueing() if each.run == run]
        assert self.signs.break_off(seen) is not None

    def finish(self, run: str = "r1", *verdicts: Verdict, products: int = 3) -> None:
        """Results for all products, those verdicts first; the batch is done then."""
        found = [*verdicts, *[Verdict.OK] * (products - len(verdicts))]
        results = [
            make_result(f"P{number}", run=run, verdict=verdict, differences=DEARER if verdict == "changed" else ())
            for number, verdict in enumerate(found)
        ]
        self.store.write(results)
        AskedBatches(self.store).done(run, "b00001")

    def whole(self, run: str = "r1", *verdicts: Verdict, telling: Telling | None = None) -> None:
        """A run from its beginning to its end."""
        self.begin(run, telling=telling)
        self.seal(run)
        self.finish(run, *verdicts)

    def told(self) -> list[tuple[str, str, str]]:
        """What stands in the fleet's history, the oldest first."""
        return [(each.name, each.level, each.scope) for each in reversed(recent_alerts(self.client))]


@pytest.fixture
def office(tmp_path: Path, redis_client: redis.Redis) -> Iterator[Office]:
    """An empty one."""
    office = Office(f"sqlite:///{tmp_path}/results.db", redis_client)
    yield office
    office.store.close()


def test_a_run_is_told_once_when_it_has_ended(office: Office) -> None:
    """Not while it is queued or at work; of several processes whoever looks first tells it."""
    one, other = office.notifier("api-1"), office.notifier("api-2")
    office.begin()
    assert one.look() + other.look() == 0
    office.seal()
    assert one.look() + other.look() == 0
    office.finish("r1", Verdict.CHANGED)
    assert [one.look(), other.look(), one.look()] == [1, 0, 0]
    assert office.told() == [("run-ended", "warning", "r1")]
    (alert,) = recent_alerts(office.client)
    assert alert.message == "run r1 of shop has ended: 1 changed, 2 ok of 3"
    assert alert.details == ("changed P0: price: 12900 -> 13900",)
    assert office.untold.runs(10) == []


def test_ends_reach_a_webhook_and_a_mailbox_once(office: Office) -> None:
    """Twenty runs, two notifiers and two deliverers at work; texts of pages are tame in HTML as well."""
    office.moved = timedelta()
    with open_webhook() as hook, mail_server() as (box, port):
        kinds = {"hook": "webhook", "mail": "email", "page": "email"}
        address = f"mailto://127.0.0.1:{port}?from=mill@example.com&to=duty@example.com"
        urls = {"HOOK": hook.url, "MAIL": address, "PAGE": f"{address}&format=html"}
        channels = {name: AlertChannel.model_validate({"kind": kind}) for name, kind in kinds.items()}
        settings: dict[str, Any] = {"channels": {name: {"kind": kind} for name, kind in kinds.items()}}
        for number in range(20):
            office.whole(f"r{number:02}")
        office.begin("wild", 1)
        office.seal("wild", 1)
        text = "<script>alert(1)</script>\r\n@everyone https://evil.test/?hunter2"
        wild = make_result("P0", run="wild", verdict=Verdict.CHANGED, differences=(Difference("name", "x", text),))
        office.store.write([wild])
        AskedBatches(office.store).done("wild", "b00001")
        one, other = office.notifier("api-1", **settings), office.notifier("api-2", **settings)
        with (
            AlertDelivery(office.client, channels, urls, "api-1", BRISK),
            AlertDelivery(office.client, channels, urls, "api-2", BRISK),
        ):
            assert one.look() + other.look() == 21
            hook.wait_for(21)
            box.wait_for(42)
        runs = sorted(body["scope"] for body in hook.bodies)
        assert runs == sorted([*(f"r{number:02}" for number in range(20)), "wild"])
        body = next(each for each in hook.bodies if each["scope"] == "r00")
        assert (body["alert"], body["level"], body["kind"], body["facts"]["ok"]) == ("run-ended", "info", "run", 3)
        assert len(set(box.subjects)) == 2
        (html,) = [text for text in box.texts("html") if "scope: wild" in text]
        assert "&lt;script&gt;alert(1)&lt;/script&gt; ＠everyone evil.test/" in html
        assert not [text for text in box.texts("html") if "<script" in text]
        assert len(box.texts("plain")) >= 21
        assert not [text for text in (*box.texts("html"), *box.texts("plain"), str(hook.bodies)) if "hunter2" in text]


DIES = """
import os, signal, sys
import redis
from pagemill.config.alerts import AlertRules
from pagemill.config.settings import AlertSettings
from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.notifier import Notifier
from pagemill.results.store import ResultStore
from pagemill.results.notice_outbox import NoticeOutbox

def die(*_arguments, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

url, database, where = sys.argv[1:]
if where == "before":
    AlertDesk.tell_once = die
elif where == "after":
    NoticeOutbox.settle = NoticeOutbox.changes_told = NoticeOutbox.release = die
client = redis.Redis.from_url(url)
with ResultStore(database) as store:
    Notifier(store, AlertDesk(client, AlertSettings(), "dies", channels=()), AlertRules(), "dies").look()
"""


def a_process_dies(office: Office, redis_server: str, where: str) -> None:
    """One that has claimed the run, by SIGKILL, `before` or `after` the alert is out."""
    command = [sys.executable, "-c", DIES, redis_server, office.url, where]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_process_that_dies_loses_and_doubles_nothing(office: Office, redis_server: str, where: str) -> None:
    """Between its claim and the alert, or between the alert and noting it: another takes over after a minute."""
    office.whole("r1", Verdict.CHANGED)
    a_process_dies(office, redis_server, where)
    assert len(office.told()) == (0 if where == "before" else 1)
    other = office.notifier("api-2")
    assert other.look() == 0
    office.moved = timedelta(seconds=61)
    assert other.look() == (1 if where == "before" else 0)
    assert office.told() == [("run-ended", "warning", "r1")]
    assert office.untold.runs(10) == []


@pytest.mark.parametrize("where", ["before", "after"])
def test_watched_changes_are_not_doubled_either(office: Office, redis_server: str, where: str) -> None:
    """What has come meanwhile is told by itself, with the run's end behind it."""
    office.begin()
    office.store.write([make_result("W1", run="r1", verdict=Verdict.GONE)])
    a_process_dies(office, redis_server, where)
    office.store.write([make_result("W2", run="r1", verdict=Verdict.GONE)])
    other = office.notifier("api-2")
    office.moved = timedelta(seconds=61)
    assert other.look() == (1 if where == "before" else 0)
    office.moved = timedelta(seconds=125)
    assert other.look() == 1
    assert [alert.facts["changes"] for alert in recent_alerts(office.client)] == [1, 1]
    assert office.untold.changes("r1", 10) is None


def test_what_ends_every_process_that_tells_it_is_given_up(office: Office, redis_server: str) -> None:
    """After three of them, with a line that says so; others are told."""
    office.whole()
    for _ in range(3):
        a_process_dies(office, redis_server, "before")
        with office.store.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE untold_ends SET claimed_at = '2026-01-01 00:00:00.000000'")
    office.whole("r2")
    with capture_logs() as lines:
        assert office.notifier("api-2").look() == 1
    assert [(line["event"], line["run"]) for line in lines] == [(events.NOTICE_GIVEN_UP, "r1")]
    assert office.told() == [("run-ended", "info", "r2")]


def test_a_redis_that_takes_nothing_is_waited_for(office: Office) -> None:
    """The notice is told at the next look, and no try is counted however long that lasts."""
    office.whole()
    notifier = office.notifier()
    office.client.config_set("maxmemory", "1")
    for _ in range(5):
        with pytest.raises(redis.RedisError):
            notifier.look()
    assert office.told() == []
    office.client.config_set("maxmemory", "0")
    assert notifier.look() == 1


def test_a_database_that_is_away_is_waited_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of telling."""
    office.whole()
    notifier = office.notifier()

    def away(*_arguments: object) -> None:
        raise DatabaseUnavailable("gone for a moment")

    with monkeypatch.context() as patched:
        patched.setattr(ResultStore, "run", away)
        with pytest.raises(DatabaseUnavailable):
            notifier.look()
    assert notifier.look() == 1


def test_an_entry_says_who_hears_of_its_runs(office: Office) -> None:
    """Quiet ones stay in the log while all is well; those that are switched off are told nobody."""
    notifier = office.notifier(runs={"channels": ["hook"]})
    office.whole("well", telling=Telling("nightly", "Asia/Seoul", {"quiet": True}))
    office.whole("not-well", Verdict.GONE, telling=Telling("nightly", "Asia/Seoul", {"quiet": True}))
    office.whole("off", Verdict.GONE, telling=Telling("nightly", "Asia/Seoul", {"enabled": False}))
    office.whole("other", telling=Telling("hourly", "UTC", {"channels": ["live"]}))
    assert notifier.look() == 3
    where = {alert.scope: alert.channels for alert in recent_alerts(office.client)}
    assert where == {"well": ("log",), "not-well": ("hook",), "other": ("live",)}
    assert office.untold.runs(10) == []


def test_a_run_that_was_cancelled_is_told_when_its_last_batch_has_ended(office: Office) -> None:
    """What was at work has some seconds."""
    office.begin()
    office.seal()
    office.store.cancel_run("r1")
    notifier = office.notifier()
    assert notifier.look() == 0
    office.moved = timedelta(seconds=16)
    assert notifier.look() == 1
    (alert,) = recent_alerts(office.client)
    assert (alert.level, alert.message) == ("warning", "run r1 of shop was cancelled: 3 without a result of 3")


def test_a_run_that_broke_off_is_told_when_what_was_handed_in_is_done(office: Office) -> None:
    """Once, with the remedy. One whose enqueuer lives has not ended, however long nothing has come of it."""
    notifier = office.notifier()
    office.begin()
    office.begin("slow")
    office.finish("slow")
    office.break_off()
    office.moved = timedelta(hours=2)
    assert notifier.look() == 0
    office.finish("r1", Verdict.GONE)
    assert [notifier.look(), notifier.look()] == [1, 0]
    (alert,) = recent_alerts(office.client)
    broke_off = "its enqueueing broke off after 3 products; 1 gone, 2 ok of 3"
    assert (alert.level, alert.message) == ("critical", f"run r1 of shop is incomplete: {broke_off}")
    assert alert.details[0].startswith("remedy: enqueue its catalogue again")


@pytest.mark.parametrize("where", ["before", "after"])
def test_that_a_run_broke_off_is_not_doubled_by_a_process_that_dies(
    office: Office, redis_server: str, where: str
) -> None:
    """Nor lost: another takes over after a minute."""
    office.begin()
    office.break_off()
    office.finish()
    a_process_dies(office, redis_server, where)
    other = office.notifier("api-2")
    office.moved = timedelta(seconds=61)
    assert other.look() == (1 if where == "before" else 0)
    assert office.told() == [("run-ended", "critical", "r1")]


def test_whoever_goes_on_with_a_run_that_broke_off_ends_it_once_more(office: Office) -> None:
    """Its enqueuer was only stopped: what is watched is told at once again, and how the run really ended."""
    notifier = office.notifier()
    office.begin(telling=Telling("nightly", "Asia/Seoul", {"channels": ["hook"]}))
    office.break_off()
    office.finish()
    assert notifier.look() == 1
    office.signs.give("r1")
    asked = AskedBatches(office.store)
    asked.note([Batch("r1", "b00002", "shop", (Product("W1", "u"),))], Reached(1, 3, "P2"), Reached(2, 4, "W1"))
    office.store.seal_run("r1", 4, 2, 0)
    assert notifier.look() == 0
    office.store.write([make_result("W1", run="r1", verdict=Verdict.GONE)])
    assert notifier.look() == 1
    asked.done("r1", "b00002")
    assert [notifier.look(), notifier.look()] == [1, 0]
    assert office.told() == [
        ("run-ended", "critical", "r1"),
        ("watched-change", "warning", "r1"),
        ("run-ended", "warning", "r1"),
    ]
    (end, *_) = recent_alerts(office.client)
    assert end.message == "run r1 of shop, entry nightly has ended: 1 gone, 3 ok of 4"
    assert end.channels == ("hook",)
    assert office.untold.runs(10) == []


def test_a_run_that_breaks_off_a_second_time_is_told_a_second_time(office: Office) -> None:
    """Who went on with it has died too."""
    notifier = office.notifier()
    office.begin()
    office.finish()
    for _ in range(2):
        office.break_off()
        assert [notifier.look(), notifier.look()] == [1, 0]
        office.signs.give("r1")
    assert office.told() == [("run-ended", "critical", "r1")] * 2


def test_one_that_is_gone_on_with_at_that_very_moment_has_not_ended(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at it and telling it; its real end is told, by whoever looks then."""
    office.begin()
    office.break_off()
    office.finish()
    claim = NoticeOutbox.claim

    def claims_too_late(untold: NoticeOutbox, run: str, *arguments: Any) -> int:
        office.signs.give(run)
        return claim(untold, run, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(NoticeOutbox, "claim", claims_too_late)
        assert office.notifier("api-1").look() == 0
    assert office.told() == []
    office.seal()
    assert office.notifier("api-2").look() == 1
    assert office.told() == [("run-ended", "info", "r1")]


@pytest.mark.parametrize("how", ["cancelled", "a day later"])
def test_what_is_known_to_have_broken_off_is_forgotten(office: Office, how: str) -> None:
    """Nobody goes on with it, and nothing is told a second time; whoever does so after all has it told again."""
    notifier = office.notifier()
    office.begin()
    office.break_off()
    office.finish()
    assert notifier.look() == 1
    if how == "cancelled":
        office.store.cancel_run("r1")
    else:
        office.moved = timedelta(hours=25)
    with capture_logs() as lines:
        assert notifier.look() == 0
    assert (lines, office.untold.runs(10)) == ([], [])
    if how != "cancelled":
        office.moved = timedelta()
        office.store.create_run("r1", "shop", "c.csv", may_exist=True)
        office.seal()
        assert notifier.look() == 1
    assert len(office.told()) == (1 if how == "cancelled" else 2)


def test_watched_changes_are_told_at_once_and_then_once_a_minute(office: Office) -> None:
    """Gathered meanwhile, and what is left together with the end; with channels of their own."""
    notifier = office.notifier(watched={"channels": ["hook"]})
    office.begin()
    office.store.write([make_result("W1", run="r1", verdict=Verdict.GONE)])
    assert notifier.look() == 1
    office.store.write([make_result(f"W{number}", run="r1", verdict=Verdict.SOLD_OUT) for number in range(2, 30)])
    assert notifier.look() == 0
    office.moved = timedelta(seconds=61)
    assert notifier.look() == 1
    office.store.write([make_result("W99", run="r1", verdict=Verdict.GONE)])
    office.seal()
    office.finish()
    assert notifier.look() == 2
    alerts = list(reversed(recent_alerts(office.client)))
    assert [alert.facts.get("changes") for alert in alerts] == [1, 28, 1, None]
    assert [alert.channels for alert in alerts] == [("hook",), ("hook",), ("hook",), None]
    assert (len(alerts[1].details), alerts[1].details[-1]) == (11, "and 18 more changes")


def test_what_ended_long_ago_is_not_told_any_more(office: Office) -> None:
    """No API ran for a day; one line says so, and the run is forgotten."""
    office.whole()
    office.moved = timedelta(hours=25)
    with capture_logs() as lines:
        assert office.notifier().look() == 0
    assert [line["event"] for line in lines] == [events.NOTICE_GIVEN_UP]
    assert (office.told(), office.untold.runs(10)) == ([], [])


def test_nothing_is_told_while_alerts_are_switched_off(office: Office) -> None:
    """And nothing is forgotten."""
    office.whole()
    assert office.notifier(enabled=False).look() == 0
    assert office.notifier().look() == 1


def test_a_run_that_was_pruned_is_forgotten(office: Office) -> None:
    """By an older pagemill, which leaves its note."""
    office.whole()
    with office.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM runs")
    assert office.notifier().look() == 0
    assert office.untold.runs(10) == []


def test_a_run_begun_before_this_release_is_never_told(office: Office) -> None:
    """Else all that a database holds would be told at the first start."""
    office.whole()
    with office.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM untold_ends")
    assert office.notifier().look() == 0


def test_many_runs_are_gone_through_look_by_look(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are at work for long keep nobody behind them from being told."""
    monkeypatch.setattr("pagemill.alerting.notifier._RUNS_PER_LOOK", 3)
    notifier = office.notifier()
    for number in range(7):
        office.begin(f"r{number}")
    office.whole("r8")
    assert [notifier.look() for _ in range(3)] == [0, 0, 1]
