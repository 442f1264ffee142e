"""`alerts.yaml` and the addresses of its channels: what is read, the defaults, and how every mistake is reported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pagemill.config.alert_channels import AlertChannel
from pagemill.config.alert_metrics import METRICS
from pagemill.config.alerts import AlertRule, AlertRules
from pagemill.config.loading import load_config
from pagemill.config.notices import RunNotices, WatchedChanges, WatchedNotices
from pagemill.errors import ConfigError

SHIPPED = Path(__file__).parents[3] / "config" / "alerts.yaml"
HOOK = "https://hunter2:hunter2@hooks.example.com/hunter2"


def load(folder: Path, text: str, environ: dict[str, str] | None = None) -> AlertRules:
    (folder / "alerts.yaml").write_text(text, encoding="utf-8")
    return load_config(folder, environ or {}, tells_alerts=True).alerts


def problems_of(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Every problem as a person reads it, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text, environ)
    assert "hunter2" not in str(caught.value)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_the_shipped_file_states_the_defaults(tmp_path: Path) -> None:
    """What a user reads there is what runs without it, and every metric is explained in it."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert load(tmp_path, text) == AlertRules()
    assert [name for name in METRICS if not re.search(rf"\b{name}\b", text)] == []
    for name in AlertRule.model_fields:
        assert re.search(rf"^# +{name} ", text, re.MULTILINE), f"{name} is not explained"
    for name in (*RunNotices.model_fields, "watched"):
        assert re.search(rf"^# +{name} ", text, re.MULTILINE), f"{name} is not explained"


def test_without_a_file_the_defaults_stand(tmp_path: Path) -> None:
    """They are the thresholds that experience recommends."""
    alerts = load_config(tmp_path, {}).alerts
    assert alerts == AlertRules()
    marks = {name: (rule.threshold, rule.level, rule.kind_in_force) for name, rule in alerts.rules.items()}
    assert marks["memory-warning"] == (80, "warning", "performance")
    assert marks["memory-critical"] == (90, "critical", "critical")
    assert marks["memory-runs-out"] == (60, "warning", "predictive")
    assert marks["gc-cpu"] == (10, "warning", "performance")


def test_rules_and_channels_are_read(tmp_path: Path) -> None:
    """Rules that are written take the place of all others; addresses come from the environment or a file."""
    (tmp_path / "secret").write_text("tgram://hunter2/1\n", encoding="utf-8")
    text = """\
rules:
  full: {metric: shm_percent, operator: gte, threshold: 90.5, for_s: 5, level: critical, kind: predictive,
         cooldown_minutes: 0, channels: [log, my-team], enabled: false}
channels:
  my-team: {kind: slack}
  phone: {kind: apprise}
"""
    environ = {
        "PAGEMILL_ALERT_URL_MY_TEAM": " https://hooks.slack.com/services/hunter2 ",
        "PAGEMILL_ALERT_URL_PHONE_FILE": str(tmp_path / "secret"),
        "PAGEMILL_ALERT_URL_OLD": "",
    }
    (tmp_path / "alerts.yaml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path, environ, tells_alerts=True)
    assert config.alerts.rules == {
        "full": AlertRule(
            metric="shm_percent",
            operator="gte",
            threshold=90.5,
            for_s=5,
            level="critical",
            kind="predictive",
            cooldown_minutes=0,
            channels=("log", "my-team"),
            enabled=False,
        )
    }
    assert config.alerts.channels["my-team"].kind == "slack"
    assert config.environment.alert_urls == {
        "MY_TEAM": "https://hooks.slack.com/services/hunter2",
        "PHONE": "tgram://hunter2/1",
    }
    assert "hunter2" not in repr(config)


def test_channels_alone_keep_the_default_rules(tmp_path: Path) -> None:
    """And no rules at all can be asked for."""
    alerts = load(tmp_path, "channels: {hook: {kind: webhook}}\n", {"PAGEMILL_ALERT_URL_HOOK": HOOK})
    assert alerts.rules == AlertRules().rules
    assert load(tmp_path, "rules: {}\n").rules == {}


def test_how_runs_are_told_is_read(tmp_path: Path) -> None:
    """All of them everywhere by default; an entry of the schedule says otherwise for its own."""
    assert load(tmp_path, "").runs == RunNotices(enabled=True, quiet=False, channels=None, changes=10)
    (tmp_path / "platforms").mkdir()
    shop = (
        "platform: shop\nhosts: [shop.com]\nextract: {fields: {price: .p}}\nwatch: {fields: [price], products: [A1]}\n"
    )
    (tmp_path / "platforms" / "shop.yaml").write_text(shop, encoding="utf-8")
    entry = 'cron: "0 3 * * *"\n    platform: shop\n    catalog: c.csv\n    notify: {quiet: true, channels: [hook]}'
    (tmp_path / "schedule.yaml").write_text(f"entries:\n  nightly:\n    {entry}\n", encoding="utf-8")
    text = """\
channels: {hook: {kind: webhook}}
runs: {quiet: true, channels: [hook, log], changes: 0}
watched: {channels: [hook]}
"""
    (tmp_path / "alerts.yaml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path, {"PAGEMILL_ALERT_URL_HOOK": HOOK}, tells_alerts=True)
    assert config.alerts.runs == RunNotices(quiet=True, channels=("hook", "log"), changes=0)
    assert config.alerts.watched == WatchedNotices(channels=("hook",))
    assert config.schedule.entries["nightly"].notify.said == {"quiet": True, "channels": ["hook"]}
    assert config.platforms["shop"].watch == WatchedChanges(fields=("price",), products=("A1",))
    wrong = entry.replace("[hook]", "[hok]")
    (tmp_path / "schedule.yaml").write_text(f"entries:\n  nightly:\n    {wrong}\n", encoding="utf-8")
    (tmp_path / "platforms" / "shop.yaml").write_text(shop.replace("[price]", "[prize]"), encoding="utf-8")
    (platform, *_) = problems_of(tmp_path, text, {"PAGEMILL_ALERT_URL_HOOK": HOOK})
    assert platform == "platforms/shop.yaml:4: watch.fields.prize: is not one of extract.fields (write one of price)"
    (tmp_path / "platforms" / "shop.yaml").write_text(shop, encoding="utf-8")
    no_channel = "schedule.yaml:6: entries.nightly.notify.channels.0: there is no channel 'hok' (did you mean `hook`?)"
    assert problems_of(tmp_path, text, {"PAGEMILL_ALERT_URL_HOOK": HOOK}) == [no_channel]
    everywhere = wrong.replace("platform: shop", "platform: auto").replace("c.csv", "sql")
    (tmp_path / "schedule.yaml").write_text(f"entries:\n  nightly:\n    {everywhere}\n", encoding="utf-8")
    (catalog, channel) = problems_of(tmp_path, text, {"PAGEMILL_ALERT_URL_HOOK": HOOK})
    assert catalog.startswith("schedule.yaml:5: entries.nightly.catalog: sql reads one platform's table")
    assert channel == no_channel


MISTAKES = [
    (
        "runs: {channels: [team]}\n",
        "alerts.yaml:1: runs.channels.0: there is no channel 'team' (known are log, live; others go under channels:)",
    ),
    (
        "watched: {channels: [lvie]}\n",
        "alerts.yaml:1: watched.channels.0: there is no channel 'lvie' (did you mean `live`?)",
    ),
    (
        "runs: {changes: 21}\n",
        "alerts.yaml:1: runs.changes: must be at most 20, found 21 (write at most 20 (the default is 10))",
    ),
    (
        "rules:\n  x: {metric: memory_precent, threshold: 1}",
        "alerts.yaml:2: rules.x.metric: 'memory_precent' is not a metric (did you mean `memory_percent`?)",
    ),
    (
        "rules:\n  x: {metric: cpu_percent, threshold: 1, chanels: [log]}",
        "alerts.yaml:2: rules.x.chanels: unknown key (did you mean `channels`?)",
    ),
    (
        "rules:\n  x:\n    metric: cpu_percent",
        "alerts.yaml:2: rules.x.threshold: is missing (add the key threshold)",
    ),
    (
        "rules:\n  x: {metric: cpu_percent, threshold: 1, operator: gtt}",
        "alerts.yaml:2: rules.x.operator: expected gt, gte, lt or lte, found text 'gtt' (did you mean `gt`?)",
    ),
    (
        "rules:\n  x: {metric: cpu_percent, threshold: 1, for_s: -1}",
        "alerts.yaml:2: rules.x.for_s: must be at least 0, found -1 (write at least 0 (the default is 0))",
    ),
    (
        "rules:\n  X y: {metric: cpu_percent, threshold: 1}",
        "alerts.yaml:2: rules.X y: 'X y' is not a rule's name (use up to 63 small letters, digits, - and _)",
    ),
    (
        "rules:\n  x:\n    metric: cpu_percent\n    threshold: 1\n    channels: [log, liev]",
        "alerts.yaml:5: rules.x.channels.1: there is no channel 'liev' (did you mean `live`?)",
    ),
    (
        "channels:\n  team: {kind: slak}",
        "alerts.yaml:2: channels.team.kind: expected webhook, slack, email or apprise, found text 'slak' "
        "(did you mean `slack`?)",
    ),
    (
        "channels:\n  log: {kind: slack}",
        "alerts.yaml:2: channels.log: log is always there (remove it here; rules may name it)",
    ),
    (
        "channels:\n  my-file: {kind: slack}",
        "alerts.yaml:2: channels.my-file: 'my-file' ends like a variable that names a file "
        "(give the channel another name)",
    ),
    (
        "channels:\n  team:\n    kind: slack\n    url: https://hunter2@x",
        "alerts.yaml:4: channels.team.url: an address does not belong in a file "
        "(set PAGEMILL_ALERT_URL_<NAME OF THE CHANNEL> in the environment, and remove it here)",
    ),
    (
        "channels:\n  a-b: {kind: slack}\n  a_b: {kind: slack}",
        "alerts.yaml:3: channels.a_b: would have the same variable for its address as a-b "
        "(give one of the two another name)",
    ),
    (
        "\nchannels:\n  team: {kind: slack}",
        "alerts.yaml:3: channels.team: has no address (set PAGEMILL_ALERT_URL_TEAM in the environment, or name a file "
        "with PAGEMILL_ALERT_URL_TEAM_FILE, or remove the channel)",
    ),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES, ids=[told.split(": ")[1] for _, told in MISTAKES])
def test_a_mistake_is_told_with_place_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    """File, line, key, what is wrong and what to do; each of them once."""
    assert problems_of(tmp_path, text) == [told]


@pytest.mark.parametrize(
    ("kind", "url", "fits"),
    [
        ("webhook", HOOK, True),
        ("webhook", "http://[::1]:8080/x", True),
        ("webhook", "hooks.example.com", False),
        ("webhook", "slack://hunter2/a/b", False),
        ("webhook", "https://hooks.example.com:hunter2/", False),
        ("slack", "https://hooks.slack.com/services/a/b/c", True),
        ("slack", "slack://a/b/c", True),
        ("slack", HOOK, False),
        ("email", "mailtos://me:hunter2@smtp.example.com?to=you@example.com", True),
        ("email", "smtp://smtp.example.com:25?from=me@example.com&to=you@example.com", True),
        ("email", "mailto:hunter2@example.com", False),
        ("apprise", "tgram://hunter2:x/1", True),
        ("apprise", "hunter2", False),
    ],
)
def test_an_address_must_fit_its_channel(tmp_path: Path, kind: str, url: str, fits: bool) -> None:
    """It is never repeated."""
    text, environ = f"channels: {{a: {{kind: {kind}}}}}\n", {"PAGEMILL_ALERT_URL_A": url}
    if fits:
        assert load(tmp_path, text, environ).channels == {"a": AlertChannel.model_validate({"kind": kind})}
        return
    (problem,) = problems_of(tmp_path, text, environ)
    assert problem.startswith("environment: PAGEMILL_ALERT_URL_A: ")
    assert "(write " in problem


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (
            {"PAGEMILL_ALERT_URL_TEEM": HOOK},
            "environment: PAGEMILL_ALERT_URL_TEEM: is the address of a channel that alerts.yaml does not have "
            "(add the channel to alerts.yaml, or remove the variable; channels are hook)",
        ),
        (
            {"PAGEMILL_ALERT_URL_HOOK": "", "PAGEMILL_ALERT_URL_HOOK_FILE": "/nowhere/hunter2"},
            "environment: PAGEMILL_ALERT_URL_HOOK_FILE: the file it names cannot be read: No such file or directory "
            "(check that it exists and who may read it; a URL itself goes into PAGEMILL_ALERT_URL_HOOK)",
        ),
        (
            {"PAGEMILL_ALERT_URL_HOOK": f"{HOOK}\n{HOOK}"},
            "environment: PAGEMILL_ALERT_URL_HOOK: has a line break or a control character in it "
            "(write one address in one line)",
        ),
    ],
)
def test_a_wrong_variable_is_told_once(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    """Without a second complaint that the channel has no address."""
    text = "channels: {hook: {kind: webhook}}\n"
    assert problems_of(tmp_path, text, {"PAGEMILL_ALERT_URL_HOOK": HOOK, **environ}) == [told]


def test_a_variable_that_is_almost_an_address_is_a_mistake(tmp_path: Path) -> None:
    """As any other that nobody knows."""
    (problem,) = problems_of(tmp_path, "", {"PAGEMILL_ALERT_URL_": "x"})
    assert problem.startswith("environment: PAGEMILL_ALERT_URL_: unknown variable")


def test_who_tells_no_alerts_needs_no_address(tmp_path: Path) -> None:
    """Workers are not given the channels' secrets."""
    (tmp_path / "alerts.yaml").write_text("channels: {team: {kind: slack}}\n")
    assert list(load_config(tmp_path, {}).alerts.channels) == ["team"]
