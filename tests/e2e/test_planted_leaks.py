"""A strategy that leaks: whatever it fills, the worker leaves in time for a fresh one, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pagemill.demo.catalogue import generate
from pagemill.demo.storefront import StorefrontProcess
from pagemill.telemetry import events
from tests.e2e.namespaces import need
from tests.e2e.workplace import Workplace, assert_each_right_once

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

SHOP = "demo-hydrated"
LEAKY = textwrap.dedent(
    '''
    """A strategy that keeps something of each product for ever."""
    import os
    import resource
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from itertools import count
    from threading import Thread

    from pagemill.extraction.page_reader import Watch, visit_page
    from pagemill.config.reading.field_rule import FieldRule
    from pagemill.extraction.values import to_fact
    from pagemill.model import PageReading

    NUMBER = FieldRule(path="price", type="number")
    KIND = os.environ["LEAK"]
    KEPT = []
    NAMES = count()
    SIZE = 8_000_000


    class LargeAnswer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(SIZE))
            self.end_headers()
            self.wfile.write(b"x" * SIZE)

        def log_message(self, *_):
            pass


    async def page_never_closed(page):
        other = await page.context.new_page()
        await other.evaluate("() => { self.kept = new Uint8Array(20e6).fill(1); }")
        return other


    async def contexts_never_closed(page):
        return [await page.context.browser.new_context() for _ in range(20)]


    async def answer_never_disposed(page):
        return await page.context.request.get(f"http://127.0.0.1:{SERVER.server_port}/")


    OF_PAGES = {
        "renderers": page_never_closed,
        "browser": contexts_never_closed,
        "driver": answer_never_disposed,
    }
    if KIND == "driver":
        SERVER = ThreadingHTTPServer(("127.0.0.1", 0), LargeAnswer)
        Thread(target=SERVER.serve_forever, daemon=True).start()
    if KIND == "descriptors":
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


    def leak():
        if KIND == "python":
            KEPT.append(b"x" * 6_000_000)
        elif KIND in OF_PAGES:
            return
        elif KIND == "descriptors":
            KEPT.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(14))
        else:
            folder, size = ("/dev/shm", 3_000_000) if KIND == "shm" else (os.environ["TMPDIR"], 32_000_000)
            file = os.open(f"{folder}/leak-{os.getpid()}-{next(NAMES)}", os.O_CREAT | os.O_WRONLY)
            try:
                os.posix_fallocate(file, 0, size)
            except OSError:
                pass  # it is full
            finally:
                os.close(file)


    class LeakyStrategy:
        def __init__(self, platform):
            places = (("h1.name", None), (".price", None), (".stock", None))
            self.watch = Watch.of(platform, places, ready="body[data-ready]")

        async def read(self, page, visit):
            leak()
            if KIND in OF_PAGES:
                KEPT.append(await OF_PAGES[KIND](page))
            seen = await visit_page(page, visit, self.watch)
            name, price, stock = seen.raw or (None, None, None)
            facts = {"name": name, "price": price and to_fact(price, NUMBER), "in_stock": stock and stock == "in"}
            return PageReading(seen.status, seen.url, facts, seen.ready, seen.texts)
    '''
)
MOST_RUNS = 8
"""Of 30 products, after which a leak must have been cleared twice."""
MOUNTED = ("unshare", "--mount", "sh", "-c")


@contextmanager
def supervised_worker(place: Workplace, mounted: str, size_mb: int) -> Iterator[subprocess.Popen[bytes]]:
    """One worker under a supervisor, which sees a small file system of its own there."""
    script = f'mount -t tmpfs -o size={size_mb}m tmpfs "$0" && exec "$@"'
    worker = [sys.executable, "-m", "pagemill", "worker", "--processes", "1"]
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            [*MOUNTED, script, mounted, *worker], cwd=place.folder, env=place.environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def plant(place: Workplace, kind: str) -> None:
    """The strategy `leaky.LeakyStrategy`, for all processes of a folder."""
    (place.folder / "leaky.py").write_text(LEAKY)
    path = os.pathsep.join([str(place.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    place.environment_changes |= {"PYTHONPATH": path, "LEAK": kind}


@pytest.mark.parametrize("kind", ["python", "descriptors", "temporary", "shm"])
def test_a_planted_leak_costs_half_a_minute_and_no_product(
    place: Workplace, shop: StorefrontProcess, kind: str
) -> None:
    """The worker says what is short, leaves with 75 in time, and the fresh one goes on.

    Files in /dev/shm stay when their maker has gone: the fresh worker then knows that it is not their maker, and works
    with one lane.
    """
    need(*MOUNTED, 'mount -t tmpfs tmpfs "$0"', "/mnt")
    plant(place, kind)
    workflow = {"rate_limit": {"wait_time_ms": 300}, "concurrency": {"default": 4}}
    place.platform(SHOP, workflow=workflow, extract={"strategy": "leaky.LeakyStrategy"})
    place.settings(guard={"memory_limit_mb": 1200})
    rows = list(generate(SHOP, shop.base_url, 60))
    run = place.enqueue(SHOP, rows, batch_size=20)
    mounted, size_mb = (str(place.scratch), 1100) if kind == "temporary" else ("/dev/shm", 100)
    with supervised_worker(place, mounted, size_mb) as supervisor:
        place.wait_for(run, 60, timeout_s=200)
        supervisor.terminate()
        assert supervisor.wait(60) == 0
    assert_each_right_once(rows, place.results(run))
    worn_out = place.events(events.WORKER_WORN_OUT)
    assert worn_out
    assert {line["reason"].split()[0] for line in worn_out} == {kind}
    assert 75 in [line["exit_code"] for line in place.events(events.WORKER_ENDED)]
    place.assert_nothing_left()


RELIEF = {
    "renderers": (events.CONTEXT_ROTATION, "pressure"),
    "browser": (events.BROWSER_ROTATION, "size"),
    "driver": (events.DRIVER_ROTATION, "size"),
}


@pytest.mark.parametrize("kind", RELIEF)
def test_a_planted_leak_of_the_browsers_is_cleared_without_an_end(
    place: Workplace, shop: StorefrontProcess, kind: str
) -> None:
    """Pages that are never closed, contexts, answers that the driver keeps: what holds them is replaced, again and
    again, and the worker works on."""
    plant(place, kind)
    workflow = {"rate_limit": {"wait_time_ms": 100}, "concurrency": {"default": 4}}
    extract = {"strategy": "leaky.LeakyStrategy"}
    place.platform(SHOP, workflow=workflow, extract=extract, rotation={"page": 1000, "context": 1000})
    place.settings(
        guard={"memory_limit_mb": 1200},
        browser={"driver": "playwright"},
        pool={"browser_max_mb": 170, "driver_max_mb": 150},
    )
    event, reason = RELIEF[kind]
    relieved = 0
    with place.redis(), place.worker() as worker:
        # How many products fill it depends on how many lanes the guard leaves, and so on how quick the machine is.
        for seed in range(1, MOST_RUNS + 1):
            rows = list(generate(SHOP, shop.base_url, 30, seed=seed))
            run = place.enqueue(SHOP, rows)
            place.wait_for(run, 30, timeout_s=60)
            assert_each_right_once(rows, place.results(run))
            relieved = [line["reason"] for line in place.events(event)].count(reason)
            if relieved >= 2:
                break
        worker.terminate()
        assert worker.wait(60) == 0
    assert relieved >= 2
    assert place.events(events.WORKER_WORN_OUT) == []
    place.assert_nothing_left()
