"""`pagemill check` where everything is there: a real Redis, a database, memory, and a program for a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from pagemill.browser.flags import Machine
from pagemill.checks import examination
from pagemill.checks.examination import examine
from pagemill.config.platform import Platform
from pagemill.config.settings import Config, Environment, Settings
from pagemill.fleet.overrides import override_guard
from pagemill.guard.probe import MachineMemory
from pagemill.intake.batch_job import open_queue
from tests.unit.cli.command import run

pytestmark = pytest.mark.redis

SHOP = {"platform": "shop", "hosts": ["www.shop.com"], "extract": {"fields": {"name": "h1"}}}


@pytest.fixture
def chromium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that knows its version, on a machine of 8 GB."""
    monkeypatch.setattr(examination, "examine_machine", lambda: Machine(shm_total_mb=2048, can_sandbox=True))
    monkeypatch.setattr(examination, "memory_limit_mb", lambda: 8192)
    monkeypatch.setattr(examination, "machine_memory", lambda: MachineMemory(available_mb=6000, swap_mb=1024))
    path = tmp_path / "chromium"
    path.write_text("#!/bin/sh\necho Chromium 156.0\n")
    path.chmod(0o755)
    return path


def test_a_good_machine_is_fine_in_every_point(
    tmp_path: Path, chromium: Path, redis_server: str, redis_client: redis.Redis
) -> None:
    """And to look changes nothing: what is queued stays queued."""
    open_queue(redis_client, "shop").enqueue("pagemill.worker.job.run_batch", "run", "b1", "shop", [])
    before = {key: redis_client.dump(key) for key in redis_client.scan_iter()}
    config = Config(
        settings=Settings(),
        platforms={"shop": Platform.model_validate(SHOP)},
        environment=Environment(
            chromium=chromium, redis_url=redis_server, database_url=f"sqlite:///{tmp_path / 'r.db'}"
        ),
    )
    findings = examine(config, tmp_path / "data")
    assert [finding.subject for finding in findings if not finding.fine] == []
    assert {finding.subject for finding in findings if not finding.subject.startswith("guard.")} == {
        "configuration",
        "browser",
        "redis",
        "database",
        "memory",
        "sandbox",
        "places",
        "platform shop",
    }
    version = redis_client.info("server")["redis_version"]
    assert f"at PAGEMILL_REDIS_URL, version {version}" in [finding.text for finding in findings]
    assert {key: redis_client.dump(key) for key in redis_client.scan_iter()} == before


def test_check_ends_with_0_on_a_good_machine(tmp_path: Path, chromium: Path, redis_server: str) -> None:
    """And with 69 as soon as the browser is no program, whatever else is well."""
    (tmp_path / "config").mkdir()
    variables = {"PAGEMILL_REDIS_URL": redis_server, "PAGEMILL_CHROMIUM": str(chromium), "COLUMNS": "200"}
    said = run(tmp_path, "check", **variables)
    assert said.code == 0, said.out
    assert "NOT OK" not in said.out
    chromium.chmod(0o644)
    broken = run(tmp_path, "check", **variables)
    assert broken.code == 69
    assert broken.out.count("NOT OK") == 1
    assert "PAGEMILL_CHROMIUM" in broken.out


def test_what_was_changed_in_the_running_fleet_is_told(
    tmp_path: Path, chromium: Path, redis_server: str, redis_client: redis.Redis
) -> None:
    """It beats the files; where it does not go with them, workers leave it alone, and that is advice."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "pagemill.yaml").write_text("guard:\n  warning_percent: 72\n")
    variables = {"PAGEMILL_REDIS_URL": redis_server, "PAGEMILL_CHROMIUM": str(chromium)}
    override_guard(redis_client, {"warning_percent": 75.0, "alerts_enabled": False})
    said = " ".join(run(tmp_path, "check", **variables).out.replace("│", " ").split())
    assert "guard.warning_percent 75: changed through the control API, before config/pagemill.yaml:2 (72)" in said
    assert "guard.alerts.enabled false: changed through the control API, before default (true)" in said
    (tmp_path / "config" / "pagemill.yaml").write_text("guard:\n  cleanup_percent: 74\n")
    said = " ".join(run(tmp_path, "check", **variables).out.replace("│", " ").split())
    assert "advice guard what was changed through the control API does not go with these files" in said
    assert "guard.warning_percent 70: default" in said
