"""The results room with many results: every page answers, and the API does not grow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.redis]

REPOSITORY = Path(__file__).parents[2]


def test_memory_stays_flat_with_many_results(tmp_path: Path) -> None:
    """30 MB of growth at most, with 100,000 results. How quick the answers are, the benchmark tells."""
    numbers = tmp_path / "room.json"
    command = [sys.executable, "-m", "benchmarks.room", "--rounds", "20", "--output", str(numbers)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=150)
    assert numbers.exists(), ended.stderr
    found = json.loads(numbers.read_text())
    assert [missed for missed in found["missed"] if not missed.endswith("ms at p95")] == [], ended.stdout
    assert len(found["p95_ms"]) > 10
