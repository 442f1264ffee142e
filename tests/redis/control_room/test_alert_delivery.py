"""Delivering alerts to a real webhook and a real mail server, by several processes' worth of deliverers."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from structlog.testing import capture_logs

from pagemill.alerting.alert import Alert, encode
from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.delivery import AlertDelivery, DeliveryPace
from pagemill.alerting.history import STREAM, latest_cursor
from pagemill.broker.connection import open_redis
from pagemill.broker.embedded import EmbeddedServer
from pagemill.config.alert_channels import AlertChannel, ChannelKind
from pagemill.config.settings import AlertSettings
from pagemill.errors import UsageError
from pagemill.telemetry import events
from pagemill.telemetry.logging import set_up_logging
from tests.redis.control_room.webhook import Webhook, open_webhook

pytestmark = pytest.mark.redis

BRISK = DeliveryPace(
    timeout_s=1, first_pause_s=0.1, longest_pause_s=0.4, most_tries=50, takeover_s=2, wait_s=0.05, gap_s=0
)
NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)


def delivery(
    client: redis.Redis, urls: Mapping[str, str], consumer: str = "api-1", pace: DeliveryPace = BRISK, **kinds: Any
) -> AlertDelivery:
    channels = {name: AlertChannel(kind=kinds.get(name, "webhook")) for name in urls}
    return AlertDelivery(client, channels, {name.upper(): url for name, url in urls.items()}, consumer, pace)


def raise_alerts(client: redis.Redis, *names: str, **options: Any) -> None:
    desk = AlertDesk(client, AlertSettings(cooldown_minutes=0), "w1", channels=())
    for name in names:
        assert desk.raise_by_rule(Alert(name, "warning", f"{name} is high", "w1", NOON, **options))


def pending(client: redis.Redis, channel: str = "hook") -> int:
    return int(client.xpending(STREAM, f"channel:{channel}")["pending"])


def settled(client: redis.Redis, channel: str = "hook") -> bool:
    """Whether everything in the history has been dealt with."""
    newest = latest_cursor(client).encode()
    (group,) = [each for each in client.xinfo_groups(STREAM) if each["name"] == f"channel:{channel}".encode()]
    return bool(group["last-delivered-id"] == newest and group["pending"] == 0)


def raise_in_the_past(client: redis.Redis, name: str, seconds: float) -> None:
    """As if it had been raised so long ago; nothing else is in the history then."""
    client.delete(STREAM)
    client.xgroup_create(STREAM, "channel:hook", id="0-0", mkstream=True)
    body = encode(Alert(name, "warning", "x", "w1", NOON))
    client.xadd(STREAM, {"alert": body}, id=f"{round((time.time() - seconds) * 1000)}-0")


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """A webhook."""
    with open_webhook() as opened:
        yield opened


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that reaches the log, from the lowest level on, other libraries' lines too."""
    handlers, level, configured = logging.root.handlers[:], logging.root.level, structlog.get_config()
    stream = io.StringIO()
    set_up_logging("json", "DEBUG", stream)
    yield stream
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.configure(**configured)


class Mailbox:
    """What aiosmtpd hands over."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        return "250 OK"


def test_a_webhook_hears_each_alert_once(redis_client: redis.Redis, hook: Webhook) -> None:
    """With two deliverers at work; the user and everything in the address reach it, and the log tells of each."""
    url = f"http://me:p%40ss@127.0.0.1:{hook.port}/a%20b/hook?token=x%26y&method=GET"
    names = [f"alert-{number}" for number in range(40)]
    with capture_logs() as told, delivery(redis_client, {"hook": url}), delivery(redis_client, {"hook": url}, "api-2"):
        until(lambda: redis_client.exists(STREAM))
        raise_alerts(redis_client, *names)
        hook.wait_for(40)
        until(lambda: settled(redis_client))
    assert sorted(hook.told()) == sorted(names)
    assert len(hook.requests) == 40
    assert hook.requests[0] == ("/a%20b/hook?token=x%26y&method=GET", "me:p@ss")
    (body,) = [each for each in hook.bodies if each["alert"] == "alert-0"]
    assert (body["alert"], body["level"], body["kind"], body["worker"], body["at"]) == (
        "alert-0",
        "warning",
        "performance",
        "w1",
        NOON.isoformat(),
    )
    assert body["title"] == "[warning] pagemill: alert-0"
    assert body["message"].startswith("alert-0 is high\n\nworker: w1")
    delivered = [line for line in told if line["event"] == events.ALERT_DELIVERED]
    assert len({line["id"] for line in delivered}) == 40
    assert {(line["channel"], line["tries"]) for line in delivered} == {("hook", 1)}
    assert [each["name"] for each in redis_client.xinfo_consumers(STREAM, "channel:hook")] == []


def test_mail_is_sent(redis_client: redis.Redis) -> None:
    """Over SMTP, in either way to write the address."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        address = f"127.0.0.1:{controller.port}?from=mill@example.com&to=duty@example.com"
        urls = {"duty": f"mailto://{address}", "other": f"smtp://{address}"}
        with delivery(redis_client, urls, duty="email", other="email"):
            raise_alerts(redis_client, "memory")
            until(lambda: len(mailbox.mails) == 2)
            until(lambda: settled(redis_client, "duty") and settled(redis_client, "other"))
    finally:
        controller.stop()
    assert {tuple(mail.rcpt_tos) for mail in mailbox.mails} == {("duty@example.com",)}
    text = bytes(mailbox.mails[0].original_content or b"")
    assert b"memory is high" in text
    assert b"[warning] pagemill: memory" in text


def test_it_tries_again_until_it_succeeds(redis_client: redis.Redis, hook: Webhook) -> None:
    """After refusals and redirects; others pass it meanwhile, and the log tells of the first failure and the end."""
    hook.statuses = [500, 302, 429, 503]
    with capture_logs() as told, delivery(redis_client, {"hook": hook.url}):
        raise_alerts(redis_client, "first")
        hook.wait_for(1)
        until(lambda: settled(redis_client))
    assert [path for path, _ in hook.requests] == ["/hook"] * 5
    failed, delivered = [line for line in told if line["event"].startswith("Alert ")]
    assert (failed["event"], failed["tries"], failed["given_up"]) == (events.ALERT_UNDELIVERED, 1, False)
    assert "500" in failed["reason"]
    assert (delivered["event"], delivered["tries"]) == (events.ALERT_DELIVERED, 5)


def test_it_gives_up_after_many_tries(redis_client: redis.Redis, hook: Webhook) -> None:
    """With a line that says so; the next alert is told."""
    hook.statuses = [400] * 3
    pace = DeliveryPace(timeout_s=1, first_pause_s=0.02, longest_pause_s=0.05, most_tries=3, wait_s=0.02, gap_s=0)
    with capture_logs() as told, delivery(redis_client, {"hook": hook.url}, pace=pace):
        raise_alerts(redis_client, "poison")
        hook.wait_for_requests(3)
        until(lambda: settled(redis_client))
        raise_alerts(redis_client, "next")
        assert hook.wait_for(1) == ["next"]
    final = [line for line in told if line.get("given_up")]
    assert [(line["event"], line["alert"], line["tries"], line["log_level"]) for line in final] == [
        (events.ALERT_UNDELIVERED, "poison", 3, "error")
    ]


def test_what_is_too_old_is_given_up(redis_client: redis.Redis, hook: Webhook) -> None:
    """Nobody is told of yesterday's trouble."""
    raise_in_the_past(redis_client, "old", 25 * 3600)
    with capture_logs() as told, delivery(redis_client, {"hook": hook.url}):
        raise_alerts(redis_client, "new")
        assert hook.wait_for(1) == ["new"]
        until(lambda: settled(redis_client))
    assert [(line["alert"], line["reason"]) for line in told if line.get("given_up")] == [
        ("old", "it is older than 24 hours")
    ]


def test_what_left_the_history_is_given_up(redis_client: redis.Redis, hook: Webhook) -> None:
    """It had waited for another try while a thousand others came."""
    hook.statuses = [500] * 1000
    with capture_logs() as told, delivery(redis_client, {"hook": hook.url}):
        raise_alerts(redis_client, "first")
        hook.wait_for_requests(1)
        redis_client.xtrim(STREAM, maxlen=0, approximate=False)
        until(lambda: pending(redis_client) == 0)
    assert [line["reason"] for line in told if line.get("given_up")] == ["it left the history before it could be told"]


def test_a_dead_channel_delays_nobody(redis_client: redis.Redis, hook: Webhook) -> None:
    """One hangs, byte by byte, and one refuses connections; the third hears all at once, and ending takes no time."""
    with open_webhook() as hanging:
        hanging.hangs = True
        urls = {"hanging": hanging.url, "closed": f"http://127.0.0.1:{free_port()}/", "hook": hook.url}
        started = delivery(redis_client, urls, pace=DeliveryPace(wait_s=0.05, gap_s=0))
        started.open()
        try:
            begun_s = time.monotonic()
            raise_alerts(redis_client, "a", "b", "c")
            assert hook.wait_for(3, 5) == ["a", "b", "c"]
            assert time.monotonic() - begun_s < 5
            hanging.wait_for_requests(1)
        finally:
            begun_s = time.monotonic()
            started.close()
        assert time.monotonic() - begun_s < 3
        assert [each.name for each in threading.enumerate() if each.name.startswith("alerts-")] == []


def test_a_hanging_channel_gathers_no_threads(redis_client: redis.Redis) -> None:
    """A try is left alone after its time; with three of them, no fourth is begun until one ends."""
    with open_webhook() as hanging:
        hanging.hangs = True
        pace = DeliveryPace(timeout_s=0.3, first_pause_s=0.05, longest_pause_s=0.05, wait_s=0.02, gap_s=0)
        with capture_logs() as told, delivery(redis_client, {"hook": hanging.url}, pace=pace):
            raise_alerts(redis_client, "a")
            hanging.wait_for_requests(3)
            time.sleep(1)
            assert len(hanging.requests) == 3
            assert len([each for each in threading.enumerate() if each.name == "alert-try-hook"]) == 3
            hanging.hangs = False
            hanging.over.set()
            hanging.wait_for(1)
            until(lambda: settled(redis_client))
        assert "timeout" in next(line["reason"] for line in told if line.get("given_up") is False)


def test_a_process_ends_although_a_channel_hangs(redis_server: str, redis_client: redis.Redis) -> None:
    """No thread of ours or of a library keeps it."""
    program = """
import sys, redis
from pagemill.config.alert_channels import AlertChannel
from pagemill.alerting.delivery import AlertDelivery, DeliveryPace
client = redis.Redis.from_url(sys.argv[1])
channels = {"hook": AlertChannel(kind="webhook")}
with AlertDelivery(client, channels, {"HOOK": sys.argv[2]}, "child", DeliveryPace(wait_s=0.05)):
    sys.stdin.readline()
client.close()
"""
    with open_webhook() as hanging:
        hanging.hangs = True
        raise_alerts(redis_client, "a")
        command = [sys.executable, "-c", program, redis_server, hanging.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as child:
            try:
                hanging.wait_for_requests(1)
                begun_s = time.monotonic()
                assert child.stdin is not None
                child.stdin.write("end\n")
                child.stdin.flush()
                assert child.wait(10) == 0
                assert time.monotonic() - begun_s < 5
            finally:
                child.kill()


def test_what_a_dead_process_had_in_hand_is_taken_over(redis_client: redis.Redis, hook: Webhook) -> None:
    """After its time, once, and with its count of tries."""
    redis_client.xgroup_create(STREAM, "channel:hook", id="0-0", mkstream=True)
    raise_alerts(redis_client, "left behind")
    redis_client.xreadgroup("channel:hook", "dead", {STREAM: ">"}, count=1)
    taken_s = time.monotonic()
    with (
        capture_logs() as told,
        delivery(redis_client, {"hook": hook.url}),
        delivery(redis_client, {"hook": hook.url}, "api-2"),
    ):
        hook.wait_for(1)
        assert time.monotonic() - taken_s >= 1.9
        until(lambda: settled(redis_client))
        time.sleep(0.5)
    assert hook.told() == ["left behind"]
    assert [line["tries"] for line in told if line["event"] == events.ALERT_DELIVERED] == [2]


def test_a_pause_between_tries_holds_for_other_processes_too(redis_client: redis.Redis, hook: Webhook) -> None:
    """Two of them do not try twice as often."""
    hook.statuses = [500] * 1000
    pace = DeliveryPace(timeout_s=1, first_pause_s=0.4, longest_pause_s=0.4, takeover_s=0.5, wait_s=0.02, gap_s=0)
    with (
        delivery(redis_client, {"hook": hook.url}, pace=pace),
        delivery(redis_client, {"hook": hook.url}, "api-2", pace),
    ):
        raise_alerts(redis_client, "a")
        hook.wait_for_requests(1)
        time.sleep(2)
        assert 2 <= len(hook.requests) <= 6


def test_a_redis_that_is_away_just_then_makes_nobody_hear_it_twice(
    redis_client: redis.Redis, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told, and Redis could not be told that: the process remembers."""
    real = redis_client.xack
    failed: list[Any] = []

    def fail_once(*arguments: Any) -> Any:
        if not failed:
            failed.append(arguments)
            raise redis.ConnectionError("gone for a moment")
        return real(*arguments)

    monkeypatch.setattr(redis_client, "xack", fail_once)
    with delivery(redis_client, {"hook": hook.url}):
        raise_alerts(redis_client, "a")
        hook.wait_for(1)
        until(lambda: failed and settled(redis_client))
    assert len(hook.requests) == 1


def test_an_alert_goes_only_where_its_rule_sends_it(redis_client: redis.Redis, hook: Webhook) -> None:
    """A worker's goes everywhere."""
    with open_webhook() as other, delivery(redis_client, {"hook": hook.url, "other": other.url}):
        raise_alerts(redis_client, "for the log", channels=("log",))
        raise_alerts(redis_client, "for one", channels=("log", "other"))
        AlertDesk(redis_client, AlertSettings(), "w1", channels=()).raise_alert("leak", "warning", "x")
        assert hook.wait_for(1) == ["leak"]
        assert other.wait_for(2) == ["for one", "leak"]
        until(lambda: settled(redis_client) and settled(redis_client, "other"))
    assert hook.told() == ["leak"]


def test_nothing_is_lost_while_no_process_delivers(redis_client: redis.Redis, hook: Webhook) -> None:
    """What was raised during a restart is told after it, and what was told before is not told again."""
    with delivery(redis_client, {"hook": hook.url}):
        raise_alerts(redis_client, "before")
        hook.wait_for(1)
        until(lambda: settled(redis_client))
    raise_alerts(redis_client, "meanwhile")
    with delivery(redis_client, {"hook": hook.url}, "api-2"):
        assert hook.wait_for(2) == ["before", "meanwhile"]


def test_a_new_channel_begins_with_the_last_minutes(redis_client: redis.Redis, hook: Webhook) -> None:
    """Not with a thousand old ones; and one that was taken out begins anew when it comes back."""
    raise_in_the_past(redis_client, "old", 400)
    raise_alerts(redis_client, "fresh")
    with open_webhook() as other, delivery(redis_client, {"other": other.url}):
        assert other.wait_for(1) == ["fresh"]
    with delivery(redis_client, {"hook": hook.url}):
        assert hook.wait_for(1) == ["fresh"]
        until(lambda: settled(redis_client))
    assert hook.told() == other.told() == ["fresh"]


def test_an_emptied_redis_is_gone_on_with(redis_client: redis.Redis, hook: Webhook) -> None:
    """The groups are made anew, also where an older release's list stands in the way."""
    redis_client.lpush(STREAM, "{}")
    with capture_logs() as told, delivery(redis_client, {"hook": hook.url}):
        raise_alerts(redis_client, "first")
        hook.wait_for(1)
        redis_client.flushall()
        raise_alerts(redis_client, "second")
        assert hook.wait_for(2) == ["first", "second"]
    assert {line["event"] for line in told} == {events.ALERT_DELIVERED}


def test_a_redis_that_went_away_is_waited_for(tmp_path: Path, hook: Webhook) -> None:
    """With one line when it goes and one when it is back, whatever the number of channels."""
    with open_redis("", tmp_path, patience_s=0.1) as client, open_webhook() as other:
        with capture_logs() as told, delivery(client, {"hook": hook.url, "other": other.url}):
            raise_alerts(client, "before")
            hook.wait_for(1)
            other.wait_for(1)
            server = int(client.info("server")["process_id"])
            until(lambda: settled(client) and settled(client, "other"))
            time.sleep(1.2)  # Redis writes to its file every second
            os.kill(server, 9)
            until(lambda: [line for line in told if line["event"] == events.REDIS_AWAY])
            again = EmbeddedServer(tmp_path)
            again.open()
            try:
                raise_alerts(client, "after")
                assert hook.wait_for(2) == other.wait_for(2) == ["before", "after"]
                until(lambda: [line for line in told if line["event"] == events.REDIS_BACK])
            finally:
                again.close()
        assert len([line for line in told if line["event"] == events.REDIS_AWAY]) in (1, 2)  # closing is another one


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("webhook", "http://somebody:hunter2@127.0.0.1:{port}/hunter2/hunter2abc?key=hunter2"),
        ("email", "mailto://somebody:hunter2@127.0.0.1:{port}?from=a@example.com&to=b@example.com&mode=insecure"),
        ("apprise", "json://somebody:hunter2@127.0.0.1:{port}/hunter2?-key=hunter2"),
    ],
)
def test_no_log_line_shows_an_address(
    redis_client: redis.Redis, lines: io.StringIO, kind: ChannelKind, url: str
) -> None:
    """Neither ours nor a library's, on the lowest level, whether it is delivered or refused."""
    with open_webhook() as hook:
        hook.statuses = [404, 200]
        with delivery(redis_client, {"hook": url.format(port=hook.port)}, hook=kind):
            raise_alerts(redis_client, "a")
            until(lambda: events.ALERT_UNDELIVERED in lines.getvalue())
            if kind != "email":
                hook.wait_for(1)
                until(lambda: events.ALERT_DELIVERED in lines.getvalue())
    assert "hunter2" not in lines.getvalue()
    assert "127.0.0.1" not in lines.getvalue()


def test_an_address_that_nobody_understands_is_refused_at_the_start(redis_client: redis.Redis) -> None:
    """With the name of its variable, and without the address."""
    with pytest.raises(UsageError, match="PAGEMILL_ALERT_URL_PHONE") as caught:
        delivery(redis_client, {"phone": "hunter2://x"}, phone="apprise")
    assert "hunter2" not in str(caught.value)


def free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])
