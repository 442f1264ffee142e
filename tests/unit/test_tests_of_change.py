"""Holds which tests `make test-quick` adds to the unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.tests_of_change import touched_tests

FILES = {
    "src/pagemill/__init__.py": "",
    "src/pagemill/pacing/turns.py": "from pagemill.pacing.seats import TAKE\n",
    "src/pagemill/pacing/seats.py": "TAKE = read_script(__file__, 'seat.lua')\n",
    "src/pagemill/pacing/seat.lua": "",
    "src/pagemill/browser/pool.py": "from pagemill.browser import slots\n",
    "src/pagemill/browser/slots.py": "",
    "src/pagemill/dom.py": "",
    "src/pagemill/far_1.py": "import pagemill.far_2\n",
    "src/pagemill/far_2.py": "import pagemill.far_3\n",
    "src/pagemill/far_3.py": "JOB = 'pagemill.far_4.run'\n",
    "src/pagemill/far_4.py": "",
    "tests/redis/test_pace.py": "from pagemill.pacing import turns\n",
    "tests/redis/test_client.py": "import pagemill\n",
    "tests/redis/test_far.py": "import pagemill.far_1\n",
    "tests/browser/pool/conftest.py": "import pagemill.browser.pool\n",
    "tests/browser/pool/test_by_fixture.py": "",
    "tests/browser/pool/test_pool.py": "import pagemill.browser.pool\n",
    "tests/browser/test_both.py": "from pagemill.browser.pool import Pool\nimport pagemill.pacing.turns\n",
    "tests/browser/test_dom_strategy.py": "",
    "tests/browser/dashboard/test_room.py": "from pagemill.pacing import turns\n",
    "tests/e2e/test_whole.py": "from pagemill.pacing import turns\n",
}
PACE, BOTH, POOL, FIXTURE = (
    "tests/redis/test_pace.py",
    "tests/browser/test_both.py",
    "tests/browser/pool/test_pool.py",
    "tests/browser/pool/test_by_fixture.py",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        (["src/pagemill/pacing/turns.py"], [PACE, BOTH]),
        (["src/pagemill/pacing/seats.py"], [PACE, BOTH]),
        (["src/pagemill/pacing/seat.lua"], [PACE, BOTH]),
        (["src/pagemill/browser/pool.py"], [POOL, BOTH, FIXTURE]),
        (["src/pagemill/browser/slots.py", PACE], [PACE, POOL, BOTH, FIXTURE]),
        (["src/pagemill/dom.py"], ["tests/browser/test_dom_strategy.py"]),
        (["src/pagemill/far_4.py"], ["tests/redis/test_far.py"]),
        ([PACE], [PACE]),
        (["tests/browser/dashboard/test_room.py"], ["tests/browser/dashboard/test_room.py"]),
        (["src/pagemill/__init__.py"], ["tests/redis/test_client.py"]),
        (["tests/e2e/test_whole.py", "README.md"], []),
    ],
)
def test_a_change_has_its_own_tests_and_those_that_come_to_it_the_nearest_first(
    root: Path, changed: list[str], wanted: list[str]
) -> None:
    assert touched_tests(root, changed) == wanted
