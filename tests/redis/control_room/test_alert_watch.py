"""Watching a fleet with rules, several processes at once: one of them evaluates, and each alert goes out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from pagemill.alerting.alert_desk import AlertDesk
from pagemill.alerting.history import recent_alerts
from pagemill.alerting.rule_watch import LEADER_KEY, AlertWatch
from pagemill.alerting.rules import Reading
from pagemill.broker.leadership import Leadership
from pagemill.config.alerts import AlertRule
from pagemill.config.remedies import Remedy
from pagemill.config.settings import AlertSettings

pytestmark = pytest.mark.redis

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
MEMORY = AlertRule(metric="memory_percent", threshold=80, for_s=60, channels=("log", "team"))


class Fleet:
    """Readings as the test sets them, and a clock."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.current: list[Reading] = []
        self.asked = 0

    def readings(self) -> Sequence[Reading]:
        self.asked += 1
        return self.current


def watch(
    client: redis.Redis,
    fleet: Fleet,
    name: str = "api-1",
    rules: Mapping[str, AlertRule] | None = None,
    minutes: float = 15,
) -> AlertWatch:
    def clock() -> float:
        return fleet.now_s

    desk = AlertDesk(client, AlertSettings(cooldown_minutes=minutes), name, now_s=clock)
    chosen = {"memory": MEMORY} if rules is None else rules
    lead = Leadership(client, LEADER_KEY, name)
    return AlertWatch(fleet.readings, lambda: chosen, desk, lead, now=lambda: NOON, now_s=clock)


def names(fired: Sequence[Any]) -> list[str]:
    return [each.reading.worker or each.reading.scope for each in fired]


def test_what_fires_is_told_as_its_rule_says(redis_client: redis.Redis) -> None:
    """In words, with its facts, to the rule's channels, and about the worker that is in trouble."""
    fleet = Fleet()
    one = watch(redis_client, fleet)
    fleet.current = [Reading("memory_percent", "", "w1", 83.25), Reading("memory_percent", "", "w2", 70)]
    with capture_logs() as lines:
        assert one.check() == []
        fleet.now_s += 61
        assert names(one.check()) == ["w1"]
    (alert,) = recent_alerts(redis_client)
    assert (alert.name, alert.level, alert.kind, alert.worker, alert.scope) == (
        "memory",
        "warning",
        "performance",
        "w1",
        "w1",
    )
    assert alert.message == (
        "memory of the worker's process tree, of what it may use (worker w1): 83.25 %, above 80 % for 61 s; "
        + Remedy.SHORT_OF_MEMORY
    )
    assert (alert.channels, alert.at) == (("log", "team"), NOON)
    expected = {"metric": "memory_percent", "value": 83.25, "operator": "gt", "threshold": 80, "held_s": 61}
    assert alert.facts == expected
    assert [line["worker"] for line in lines] == ["w1"]


def test_a_platform_is_told_by_its_name(redis_client: redis.Redis) -> None:
    """No worker is to blame; a value without an end is told as such."""
    rule = AlertRule(metric="queue_stuck_s", threshold=600, level="critical")
    fleet = Fleet()
    fleet.current = [Reading("queue_stuck_s", "shop", "", float("inf"))]
    assert names(watch(redis_client, fleet, rules={"stuck": rule}).check()) == ["shop"]
    (alert,) = recent_alerts(redis_client)
    assert (alert.worker, alert.scope, alert.kind, alert.channels) == ("", "shop", "critical", None)
    assert alert.facts["platform"] == "shop"
    assert "(platform shop): unlimited s, above 600 s; " in alert.message


def test_one_process_evaluates_and_another_takes_over(redis_client: redis.Redis) -> None:
    """The one that waits asks nobody; the successor does not repeat what was said, and says what is new."""
    fleet = Fleet()
    first, second = watch(redis_client, fleet, "api-1"), watch(redis_client, fleet, "api-2")
    fleet.current = [Reading("memory_percent", "", "w1", 90)]
    told = []
    for _ in range(3):
        told += names(first.check())
        assert second.check() == []
        fleet.now_s += 30
    assert (told, fleet.asked) == (["w1"], 3)
    first.close()
    fleet.current.append(Reading("memory_percent", "", "w2", 90))
    for _ in range(3):
        told += names(second.check())
        assert first.check() == []
        fleet.now_s += 30
    assert told == ["w1", "w2"]
    assert len(recent_alerts(redis_client)) == 2


def test_an_alert_that_the_fleets_cooldown_holds_back_goes_out_after_it(redis_client: redis.Redis) -> None:
    """In the next round then, and not a whole cooldown later."""
    fleet = Fleet()
    one = watch(redis_client, fleet, minutes=15)
    fleet.current = [Reading("memory_percent", "", "w1", 90)]
    redis_client.set("pagemill:alert:rule:memory:w1", "somebody else")
    moments = []
    for number in range(20):
        if number == 12:
            redis_client.delete("pagemill:alert:rule:memory:w1")
        moments += [number] * len(one.check())
        fleet.now_s += 30
    assert moments == [12]


def test_changed_rules_hold_from_the_next_round(redis_client: redis.Redis) -> None:
    """Another process may have changed them."""
    fleet = Fleet()
    rules = {"cpu": AlertRule(metric="cpu_percent", threshold=90)}
    one = watch(redis_client, fleet, rules=rules)
    fleet.current = [Reading("cpu_percent", "", "w1", 80)]
    assert one.check() == []
    rules["cpu"] = AlertRule(metric="cpu_percent", threshold=70)
    assert names(one.check()) == ["w1"]


def test_what_redis_does_not_answer_is_raised(redis_client: redis.Redis) -> None:
    """Whoever calls waits for the next round; what was held until then is not forgotten."""
    fleet = Fleet()
    one = watch(redis_client, fleet)
    fleet.current = [Reading("memory_percent", "", "w1", 90)]
    one.check()
    redis_client.delete(LEADER_KEY)
    redis_client.lpush(LEADER_KEY, "in the way")
    fleet.now_s += 30
    with pytest.raises(redis.RedisError):
        one.check()
    redis_client.delete(LEADER_KEY)
    fleet.now_s += 31
    assert names(one.check()) == ["w1"]
