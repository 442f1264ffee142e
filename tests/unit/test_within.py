"""Holds that `make test-quick` ends in time and names what it has left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("seconds", "outcome", "left"), [("0", "3 skipped", 3), ("60", "3 passed", 0)])
def test_what_is_not_begun_in_time_is_left_and_named(tmp_path: Path, seconds: str, outcome: str, left: int) -> None:
    (tmp_path / "test_one.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    (tmp_path / "test_two.py").write_text("def test_a(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "tools.within", "--within", seconds, "-p", "no:cacheprovider"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), *sys.path))),
    }
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert outcome in ended.stdout, ended.stdout
    assert (f"{left} tests were left" in ended.stdout) == (left > 0)
    assert ("test_one.py (2)" in ended.stdout) == ("test_two.py (1)" in ended.stdout) == (left > 0)
