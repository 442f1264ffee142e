"""Four processes that write results to one database at once, whichever it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pagemill.results.store import ResultStore

PROCESSES = 4
OWN_RESULTS = 60
SHARED_RESULTS = 60

_WRITE_SOME = """
import sys
sys.path.insert(0, sys.argv[1])
from result_values import make_result
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


def assert_each_row_once_from_four_writers(url: str) -> None:
    """They open the database together, then write results of their own and the same ones."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITE_SOME, str(Path(__file__).parent), f"w{number}", url],
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
