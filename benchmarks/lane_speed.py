"""How much of a bare Playwright loop's speed is left with queue, results, firewall and log: `make bench`.

Both visit the same products of the same practice shop, in turns, several rounds; the ratio of the medians is what
counts, because the machine's own speed is in both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from pagemill.broker.connection import open_redis
from pagemill.config.loading import load_config
from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.intake.enqueue import enqueue_run
from pagemill.model import Product
from pagemill.results.store import ResultStore

PLATFORM = "demo-hydrated"
TIMEOUT_S = 600


def bare(lanes: int, products: list[Product], folder: Path) -> float:
    """Items per second of the bare loop."""
    file = folder / "urls.txt"
    file.write_text("\n".join(product.url for product in products))
    command = [sys.executable, "-m", "benchmarks.bare_loop", str(lanes), str(file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
    seconds, complete = answer.stdout.split()
    assert int(complete) == len(products), f"the bare loop read {complete} of {len(products)} pages"
    return len(products) / float(seconds)


def pagemill(lanes: int, products: list[Product], folder: Path) -> float:
    """Items per second of a worker as users run it, from the first visit's start to the last result."""
    config = load_config()
    platform = config.platforms[PLATFORM]
    assert platform.workflow.concurrency.default == lanes
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAGEMILL_")}
    environment |= {"PAGEMILL_CONFIG": str(Path("config").absolute()), "PAGEMILL_LOG_FORMAT": "json"}
    store_url = f"sqlite:///{folder / 'data' / 'pagemill.db'}"
    with open_redis("", folder / "data") as redis, ResultStore(store_url) as store, (folder / "log").open("wb") as log:
        run = enqueue_run(
            products,
            platform,
            source="benchmark",
            batch_size=config.settings.queue.batch_size,
            settings=config.settings.queue,
            redis=redis,
            store=store,
        )
        command = [sys.executable, "-m", "pagemill", "worker", "--burst", "--platform", PLATFORM]
        subprocess.run(command, cwd=folder, env=environment, stderr=log, check=True, timeout=TIMEOUT_S)
        results = list(store.read(run.run))
    assert len(results) == len(products), f"{len(results)} results for {len(products)} products"
    wrong = [result for result in results if result.verdict.value != "ok"]
    assert not wrong, f"{len(wrong)} wrong verdicts, the first: {wrong[0]}"
    first = min(result.started_at for result in results)
    last = max(result.finished_at for result in results)
    return len(results) / (last - first).total_seconds()


def main() -> None:
    """Prints each round and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=300, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rates: dict[str, list[float]] = {"bare": [], "pagemill": []}
    contestants = {"bare": bare, "pagemill": pagemill}
    with StorefrontProcess() as shop, tempfile.TemporaryDirectory() as scratch:
        products = [
            row.product
            for row in generate(PLATFORM, shop.base_url, 2 * options.products)
            if row.right_verdict.value == "ok"
        ][: options.products]
        for number in range(options.rounds):
            order = list(contestants) if number % 2 == 0 else list(reversed(contestants))
            for name in order:
                folder = Path(scratch, f"{name}-{number}")
                folder.mkdir()
                rates[name].append(contestants[name](4, products, folder))
            print(f"round {number + 1}: " + ", ".join(f"{name} {rates[name][-1]:.1f}/s" for name in rates), flush=True)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        print(f"{name:9} median {medians[name]:.1f} items/s (from {min(values):.1f} to {max(values):.1f})")
    print(f"ratio of the medians: {medians['pagemill'] / medians['bare']:.2f}")


if __name__ == "__main__":
    main()
