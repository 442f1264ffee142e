"""The results room with many results: quick pages, and an API that does not grow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.redis]

REPOSITORY = Path(__file__).parents[2]


def test_pages_stay_quick_and_memory_flat_with_many_results(tmp_path: Path) -> None:
    """Each answer of the room below 300 ms at p95, and 30 MB of growth at most, with 100,000 results."""
    numbers = tmp_path / "room.json"
    command = [sys.executable, "-m", "benchmarks.room", "--rounds", "20", "--output", str(numbers)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=150)
    assert numbers.exists(), ended.stderr
    found = json.loads(numbers.read_text())
    assert (found["missed"], ended.returncode) == ([], 0), ended.stdout
    assert len(found["p95_ms"]) > 10
