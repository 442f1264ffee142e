"""The alert rules and the Grafana board ask for what is told, and promtool finds rules, tests and text well."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from pagemill.alerting.alert import Alert
from pagemill.control_room.metrics.text import metrics_text
from pagemill.fleet.processes import ProcessSnapshot
from pagemill.fleet.queues import QueueState
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.stranded_runs import Cause, Stranded
from pagemill.fleet.tally import BUCKETS_S, PlatformTally
from pagemill.fleet.view import FleetPicture, FleetView
from pagemill.guard.pressure import PressureLimits
from pagemill.guard.probe import Sample
from pagemill.guard.python_memory import CollectorStats, PythonMemory
from pagemill.pacing.pace_state import PaceState

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "docker" / "prometheus"
GRAFANA = ROOT / "docker" / "grafana"
BOARD = GRAFANA / "boards" / "pagemill.json"

AT = datetime(2026, 11, 21, tzinfo=UTC)
ROLES = ("python", "driver", "browser", "renderers", "gpu", "utility")

ELSEWHERE = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity", "worker", "platform"}}
"""Series that Prometheus makes by itself, with their labels."""
WORDS = frozenset({"and", "or", "unless", "by", "on", "offset", "sum", "count", "min", "max", "time", "vector"}) | {
    "rate",
    "increase",
    "predict_linear",
    "min_over_time",
    "max_over_time",
    "histogram_quantile",
}
"""What of PromQL is used. A name that is neither here nor told is a misspelt one."""


def worker(name: str, platforms: tuple[str, ...] = ("musinsa",)) -> WorkerSnapshot:
    """One that tells all that a worker can tell."""
    sample = Sample(
        rss_mb=100,
        pss_mb=dict.fromkeys(ROLES, 50.0),
        shm_percent=3.0,
        cgroup_percent=40.0,
        memory_percent=30.0,
        descriptor_limit=1024,
        processes=dict.fromkeys(ROLES, 1),
        python=PythonMemory(60.0, 5.0, 200_000),
        js_heap_mb=20.0,
        largest_js_heap_mb=8.0,
    )
    tally = PlatformTally({"ok": 5, "failed": 1}, 6, 1, 3.0, (0, 1, 2, 2, *[0] * (len(BUCKETS_S) - 3)), 4.0)
    return WorkerSnapshot(
        name=name,
        pid=1,
        host="machine",
        platforms=platforms,
        lanes=2,
        size=4,
        pss_mb=300.0,
        peak_pss_mb=350.0,
        leases=6,
        reasons={"page uses": 3, "page failed": 1},
        pressure="warning",
        pressure_reason="memory",
        started_at=AT,
        sample=sample,
        collector=CollectorStats((5, 3, 1), 0.02, 4.0, 1.5, (3, 2, 2, 1, 0, 1, *[0] * 8)),
        limits=PressureLimits(1000, 512, 300, 500, 30),
        caches={"pages": 4},
        tally=dict.fromkeys(platforms, tally),
    )


class Still(FleetView):
    """A view whose picture does not change."""

    def __init__(self, *workers: WorkerSnapshot) -> None:
        super().__init__(Redis(), ())
        self._workers = workers

    def picture(self) -> FleetPicture:
        return FleetPicture(
            at=AT,
            workers=self._workers,
            queues=(QueueState("musinsa", 3, 1, 0),),
            paces=(PaceState("musinsa", 0, "", 0, False, 1.0),),
            revisits={"musinsa": (4, 6)},
            stranded=(Stranded("run-1", "ably", 7, Cause.UNSERVED),),
            processes=(
                ProcessSnapshot("p1", "scheduler", 1, "machine", AT, 90.0, 75.0, 1.0, 12, leads=True),
                ProcessSnapshot("p2", "api", 2, "machine", AT, 120.0, 100.0, 2.0, 20),
                ProcessSnapshot("p3", "supervisor", 3, "machine", AT, 80.0, 70.0, 0.0, 9),
            ),
        )


def told(*workers: WorkerSnapshot) -> str:
    """The text about a fleet; by default one worker's."""
    alert = Alert("leak", "warning", "", "w1", AT)
    return metrics_text(Still(*(workers or [worker("w1")])), lambda: [alert])[0].decode()


def labels_by_name() -> Mapping[str, set[str]]:
    """Every series that is told, with its labels."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(told()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def board_expressions() -> list[str]:
    board = json.loads(BOARD.read_text())
    panels = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    annotations = [each["expr"] for each in board["annotations"]["list"]]
    variables = [each["definition"] for each in board["templating"]["list"] if each["type"] == "query"]
    looked_up = [re.sub(r"label_values\((\w+), (\w+)\)", r"count by (\2) (\1)", each) for each in variables]
    return [_as_grafana_sends(each) for each in (*panels, *annotations, *looked_up)]


def _as_grafana_sends(expression: str) -> str:
    return expression.replace("$__rate_interval", "1m").replace("$worker", ".*").replace("$platform", ".*")


def asked_for(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each name that an expression has outside of labels, with the labels that it is narrowed by."""
    bare = re.sub(r"\b(by|on)\s*\([^)]*\)", "", re.sub(r"\[[^]]*\]", "", expression))
    for name, matchers in re.findall(r"([A-Za-z_]\w*)\s*(\{[^}]*\})?", re.sub(r"\b\d\w*", "", bare)):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))


EXPRESSIONS = [*(rule["expr"] for rule in rules()), *board_expressions()]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_rules_and_board_ask_for_what_is_told(expression: str) -> None:
    """With its labels. A misspelt name would give an alert that never fires, and an empty panel."""
    known = {**labels_by_name(), **ELSEWHERE}
    asked = [(name, labels) for name, labels in asked_for(expression) if name not in WORDS]
    assert asked
    for name, labels in asked:
        assert name in known
        assert labels <= known[name] | {"job", "instance"}


def test_a_misspelt_name_or_label_is_found() -> None:
    """The test above can fail."""
    found = dict(
        asked_for('sum by (worker) (rate(pagemill_prodcts_total{verdit=~"ok|no", worker="a"}[5m])) / 1e9 > 0.5')
    )
    assert found["pagemill_prodcts_total"] == {"verdit", "worker"}
    assert set(found) - WORDS == {"pagemill_prodcts_total"}
    assert "pagemill_prodcts_total" not in labels_by_name()


def test_the_eleven_memory_figures_have_their_names() -> None:
    """Boards and rules of other systems look for them."""
    names = "alloc_bytes total_alloc_bytes sys_bytes heap_alloc_bytes heap_sys_bytes heap_idle_bytes heap_inuse_bytes"
    expected = {f"memory_{name}" for name in (*names.split(), "heap_objects", "gc_count_total", "gc_cpu_fraction")}
    expected |= {f"memory_gc_pause_ns_{part}" for part in ("bucket", "sum", "count")} | {"memory_max_memory_mb"}
    assert {name for name in labels_by_name() if name.startswith("memory_")} == expected


def test_every_family_says_what_it_means() -> None:
    """In its help text, and no name comes twice."""
    families = list(text_string_to_metric_families(told()))
    assert all(len(family.documentation) > 10 for family in families)
    assert len({family.name for family in families}) == len(families)


def test_every_rule_says_what_to_do_and_is_tested() -> None:
    """With a severity, a summary and a description."""
    tests = (PROMETHEUS / "rules_test.yml").read_text()
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert len(rule["annotations"]["description"]) > 50
        assert f'alertname="{rule["alert"]}"' in tests, f"{rule['alert']} is not in rules_test.yml"


def test_the_board_finds_its_data_source() -> None:
    """The one that is provisioned stands in the board's variable; panels do not overlap and have their own numbers."""
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    board = json.loads(BOARD.read_text())
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["source"]["current"]["value"] == source["uid"]
    assert set(variables) == {"source", "worker", "platform"}
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + right, place["y"] + down) for right in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own checker; without it these tests skip, and fail where `CI` is set."""
    found = shutil.which("promtool")
    if found is None:
        reason = "promtool is not on PATH: it comes with Debian's package prometheus"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def run(*command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=50)


def test_promtool_reads_the_text(promtool: str) -> None:
    """It would only spell two names differently, which are those of other systems."""
    checked = run(promtool, "check", "metrics", text=told())
    complaints = sorted((checked.stdout + checked.stderr).splitlines())
    assert [complaint.partition(" ")[0] for complaint in complaints] == ["memory_gc_pause_ns", "memory_max_memory_mb"]
    assert all("abbreviated units" in complaint for complaint in complaints)


def test_promtool_accepts_rules_and_settings(promtool: str) -> None:
    """As Prometheus would at its start."""
    for command in (("rules", "rules.yml"), ("config", "--syntax-only", "prometheus.yml")):
        checked = run(promtool, "check", *command[:-1], PROMETHEUS / command[-1])
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_rules_fire_when_they_should(promtool: str) -> None:
    """And not just below: rules_test.yml says both of each."""
    tested = run(promtool, "test", "rules", PROMETHEUS / "rules_test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_promtool_understands_the_board(promtool: str, tmp_path: Path) -> None:
    """Every expression of a panel is one that Prometheus can evaluate."""
    recorded = [{"record": f"board:{number}", "expr": each} for number, each in enumerate(board_expressions())]
    path = tmp_path / "board.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": recorded}]}))
    checked = run(promtool, "check", "rules", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
