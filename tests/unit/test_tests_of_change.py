"""Holds which tests `make test-quick` adds to the unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.tests_of_change import touched_tests

TESTS = {
    "tests/redis/test_pace.py": "from pagemill.pacing import turns\n",
    "tests/browser/pool/test_pool.py": "import pagemill.browser.pool\n",
    "tests/browser/test_both.py": "from pagemill.browser.pool import Pool\nimport pagemill.pacing.turns\n",
    "tests/e2e/test_whole.py": "from pagemill.pacing import turns\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in TESTS.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        (["src/pagemill/pacing/turns.py"], ["tests/redis/test_pace.py", "tests/browser/test_both.py"]),
        (["src/pagemill/browser/pool.py"], ["tests/browser/pool/test_pool.py", "tests/browser/test_both.py"]),
        (["tests/redis/test_pace.py", "README.md"], ["tests/redis/test_pace.py"]),
        (["src/pagemill/pacing/seats.py", "src/pagemill/pacing/seat.lua", "tests/e2e/test_whole.py"], []),
    ],
)
def test_a_change_has_its_own_tests_and_those_that_import_it(root: Path, changed: list[str], wanted: list[str]) -> None:
    assert touched_tests(root, changed) == wanted
