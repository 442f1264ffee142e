"""A load of some seconds on a real API: its users are served, and the exit code goes by the criteria."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.redis]

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.skipif(
    importlib.util.find_spec("locust") is None and not os.environ.get("CI"),
    reason="locust is not installed: make setup",
)
def test_too_few_requests_miss_one_criterion_at_least(tmp_path: Path) -> None:
    """Six users cannot make a hundred a second; none of their requests fails, and most answers are there."""
    command = [sys.executable, "-m", "benchmarks.load", "--seconds", "5", "--users", "6", "--output", str(tmp_path)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=150)
    assert (tmp_path / "load.json").exists(), ended.stderr
    assert ended.returncode == 1, ended.stderr
    found = json.loads((tmp_path / "load.json").read_text())
    assert found["requests"] > 10
    assert found["failures"] == 0
    assert found["hits"] > 0.5
    assert any(missed.startswith("requests per second") for missed in found["missed"])
    assert "missed: requests per second" in ended.stdout
    assert "<html" in (tmp_path / "load.html").read_text()
