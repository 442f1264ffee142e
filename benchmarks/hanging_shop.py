"""What a shop that accepts connections and never answers costs the others that a worker visits meanwhile.

Six shops at the pace of real ones, alternately with all of them answering and with the last one silent; what is
compared is the rate of the first five: `python -m benchmarks.hanging_shop`.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.polite_figures import Case, steady
from benchmarks.polite_race import Catalogues, Pagemill, catalogues_of
from benchmarks.polite_shops import Street, address, catalogue
from benchmarks.race import stored_visits

_SHOPS = 6
_SLACK_S = 90.0
_END_S = 30.0


@contextmanager
def silent_shop(number: int) -> Iterator[str]:
    """The base URL of a shop that lets everybody wait, at the address of that number."""
    with socket.create_server((address(number), 0), backlog=1000) as listener:
        yield f"http://{address(number)}:{listener.getsockname()[1]}"


def rate(case: Case, catalogues: Catalogues) -> float:
    """Products per second of all shops but the last, in the steady part.

    Raises:
        TimeoutError: they did not end in twice the time that their pace allows.
    """
    others = case.shops - 1
    with tempfile.TemporaryDirectory(prefix="hanging-") as scratch:
        folder = Path(scratch)
        command, environment = Pagemill().prepare(case, catalogues, folder)
        runs = (folder / "runs").read_text().split()[:others]
        deadline = time.monotonic() + 2 * 60 * case.products / case.per_minute + _SLACK_S
        with (folder / "output.txt").open("w") as output:
            worker = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        try:
            while len(visits := stored_visits(folder, runs)) < others * case.products:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{len(visits)} of {others * case.products} products in time")
                time.sleep(1)
        finally:
            worker.terminate()
            try:
                worker.wait(_END_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
    begin, end, count = steady([visit.finished for visit in visits], others * case.lanes)
    return count / (end - begin)


def main() -> None:
    """Prints each lap, and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100, help="of each shop (100)")
    parser.add_argument("--rounds", type=int, default=2, help="of both (2)")
    options = parser.parse_args()
    case = Case(_SHOPS, products=options.products)
    answering: list[float] = []
    hanging: list[float] = []
    with Street(_SHOPS) as street, silent_shop(_SHOPS - 1) as nowhere:
        catalogues = catalogues_of(case, street)
        for number in range(2 * options.rounds):
            is_silent = number % 4 in (1, 2)
            last = catalogue(nowhere, _SHOPS - 1, case.products) if is_silent else catalogues[-1]
            found = rate(case, [*catalogues[:-1], last])
            (hanging if is_silent else answering).append(found)
            print(
                f"the last shop {'is silent' if is_silent else 'answers  '}: others {found:.2f} products/s", flush=True
            )
    ratio = statistics.median(hanging) / statistics.median(answering)
    print(f"others with a silent shop beside them: {ratio:.3f} times as fast")


if __name__ == "__main__":
    main()
