"""Several worker processes and one SQLite file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pagemill.results.store import ResultStore

PROCESSES = 4
OWN_RESULTS = 60
SHARED_RESULTS = 60

WRITE_SOME = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.unit.results.result_values import make_result
from pagemill.results.store import ResultStore

name, url = sys.argv[2:]
with ResultStore(url) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    new = 0
    for number in range(0, 60, 5):
        new += store.write([make_result(f"{name}-{number + step}", worker=name) for step in range(5)])
        new += store.write([make_result(f"all-{number + step}", worker=name) for step in range(5)])
    print(new, flush=True)
"""


def test_four_processes_writing_at_once_leave_every_row_exactly_once(tmp_path: Path) -> None:
    """They open the new file together, then write results of their own and the same ones."""
    url = f"sqlite:///{tmp_path}/data/results.db"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE_SOME, str(Path(__file__).parent), f"w{number}", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        new = 0
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for worker in workers:
            said, _ = worker.communicate(timeout=60)
            assert worker.returncode == 0
            new += int(said)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()

    with ResultStore(url) as store:
        ids = [result.product_id for result in store.read()]
    assert len(ids) == len(set(ids)) == new == PROCESSES * OWN_RESULTS + SHARED_RESULTS
