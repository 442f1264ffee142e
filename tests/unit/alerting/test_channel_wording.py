"""What a channel says: the message to people, and reasons that give nothing of an address away."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from pagemill.alerting.alert import Alert, alert_kind_of, decode, encode
from pagemill.alerting.channels import AlertChannelSender, worded
from pagemill.alerting.delivery import DeliveryPace

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


def test_a_message_has_level_name_sentence_and_facts() -> None:
    """Empty places are left out."""
    alert = Alert("blocked", "critical", "a third is blocked", "", NOON, "shop", {"value": 0.3, "threshold": 0.2})
    assert worded(alert) == (
        "[critical] pagemill: blocked",
        "a third is blocked\n\nscope: shop\nvalue: 0.3\nthreshold: 0.2\nat: 2025-06-01T12:00:00+00:00",
    )


def test_a_message_may_have_a_heading_and_lines_of_its_own() -> None:
    """The lines stand between the sentence and the facts; neither has any length."""
    alert = Alert("run-ended", "info", "all is well", "", NOON, title="nightly: all ok", details=("one", "two"))
    assert worded(alert) == (
        "[info] pagemill: nightly: all ok",
        "all is well\n\none\ntwo\n\nat: 2025-06-01T12:00:00+00:00",
    )
    assert decode(encode(alert)) == alert
    title, body = worded(Alert("x", "info", "x", "", NOON, title="y" * 9999, details=("z" * 99_999,)))
    assert (len(title), len(body)) == (200, 10_000)


@pytest.mark.parametrize(
    "url",
    [
        "json://hunter2:HUNTER2pass@127.0.0.1:1/hunter2path?-key=hunter2key",
        "mailto://hunter2:hunter2pass@localhost:1?from=hunter2@example.com&to=b@example.com&mode=insecure",
        "mailto://hunter2:hunter%322pass@localhost:1?from=a@example.com&to=b@example.com&mode=insecure",
    ],
)
def test_a_reason_shows_nothing_of_the_address(url: str) -> None:
    """Not even the host: with many services it is the token."""
    sender = AlertChannelSender("team", "apprise", url, timeout_s=10)
    outcome = sender.send(Alert("leak", "warning", "x", "w1", NOON), threading.Event())
    assert outcome is not None
    assert not outcome.delivered
    assert outcome.reason
    assert not {"hunter", "127.0.0.1", "localhost", "path", "example"} & set(outcome.reason.lower().split())
    for secret in ("hunter2", "127.0.0.1", "localhost", "example.com"):
        assert secret not in outcome.reason.lower()


def test_pauses_double_up_to_their_bound() -> None:
    """However many tries there were."""
    pace = DeliveryPace()
    assert [pace.pause_after_s(tries) for tries in (1, 2, 3, 9, 10, 50, 10_000)] == [1, 2, 4, 256, 300, 300, 300]
    assert pace.takeover_s > pace.timeout_s


def test_an_alert_survives_the_journey() -> None:
    """Through JSON and back; what JSON does not know becomes text."""
    alert = Alert("leak", "warning", "x", "w1", NOON, "shop", {"mb": 3.5}, "id-1", "predictive", ("log", "team"))
    assert decode(encode(alert)) == alert
    assert decode(encode(Alert("a", "b", "c", "d", NOON, facts={"at": NOON}))).facts == {"at": str(NOON)}


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"name": "x"}', '{"at": 5}'])
def test_what_is_no_alert_is_told_by_one_error(text: str) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ValueError):
        decode(text)


def test_alerts_without_a_rule_have_a_kind() -> None:
    """A leak is foreseen trouble; others go by their level."""
    assert [
        alert_kind_of("leak", "warning"),
        alert_kind_of("disk_full", "warning"),
        alert_kind_of("pressure", "emergency"),
    ] == [
        "predictive",
        "performance",
        "critical",
    ]
